"""The end of a run: its summary, costs, record and exit code."""
