"""Studies to run: stages called in this process, toy stages in the real workflow."""
