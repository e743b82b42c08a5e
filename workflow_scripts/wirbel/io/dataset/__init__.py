"""What is in a BIDS folder: scans, their names, and what is not one."""
