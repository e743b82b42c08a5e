"""Measures of the image itself: noise, ghosts of motion, slices that do not fit each other."""
