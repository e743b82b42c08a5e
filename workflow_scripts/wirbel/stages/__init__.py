"""One thin command line per rule; every one is `main(argv=None) -> int`."""
