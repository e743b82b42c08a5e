"""QC pages of made-up cohorts, and a browser to open them in."""
