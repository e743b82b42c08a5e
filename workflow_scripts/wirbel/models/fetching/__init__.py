"""Fetch a network: download, unpack, install, with progress."""
