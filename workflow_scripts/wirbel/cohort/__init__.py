"""The cohort's tables: gathered from all scans, flagged, and described."""
