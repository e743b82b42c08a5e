"""The `wirbel` command: a thin layer over Snakemake and the same settings, one module per subcommand."""
