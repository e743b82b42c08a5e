"""From the words of a command to a checked command line of Snakemake."""
