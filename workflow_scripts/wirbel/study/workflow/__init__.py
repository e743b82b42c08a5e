"""What the rules are made of: one start of the workflow, and everything that touches Snakemake's own objects."""
