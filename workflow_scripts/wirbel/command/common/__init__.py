"""What subcommands share: mistakes said in one sentence, output folders and their pages."""
