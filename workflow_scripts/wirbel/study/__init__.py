"""What happens in the main process: checks, the plan, which batches must run, and what the user is told about it."""
