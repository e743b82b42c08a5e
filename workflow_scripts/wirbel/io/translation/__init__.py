"""Settings and files of `wirbel translate`."""
