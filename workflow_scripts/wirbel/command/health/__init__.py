"""What `wirbel doctor` looks at."""
