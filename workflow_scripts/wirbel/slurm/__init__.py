"""SLURM: questions to it, what is added to Snakemake's executor, and a run's jobs in its queue."""
