"""A SLURM cluster on one machine, the workflow on it, and faults to inject."""
