"""Which batches and tables must be computed, and why, from the output folder alone."""
