"""What happens in the main process: the plan, which batches must run, and what the user is told about it."""
