"""Levels named by a labelling network, in the manner of VERIDAH, instead of by the whole spine."""
