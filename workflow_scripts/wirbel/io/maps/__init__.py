"""The final label maps of a scan, and the tables of what their numbers mean."""
