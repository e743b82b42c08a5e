"""What of the spine is in the map: which structures are present, complete and without gaps."""
