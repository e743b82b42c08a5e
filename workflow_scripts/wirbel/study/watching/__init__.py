"""How far a run is, read from the output folder alone: for `wirbel status` and for the terminal."""
