"""Subcommands about label maps from elsewhere: comparing with them, fusing them, a public data set."""
