"""A small web server for one output folder, reachable from this machine only."""
