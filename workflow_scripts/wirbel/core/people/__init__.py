"""What is known about the persons: columns from participants.tsv and sessions.tsv, matched to scans."""
