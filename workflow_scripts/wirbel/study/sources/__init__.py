"""Which scans a study takes, of all that a data set holds, and why not the others."""
