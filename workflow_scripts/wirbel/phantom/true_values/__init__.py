"""The true value of every measure that the phantom knows."""
