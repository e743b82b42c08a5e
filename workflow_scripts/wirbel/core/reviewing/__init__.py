"""What readers decided about scans: put together, compared, and applied to level names."""
