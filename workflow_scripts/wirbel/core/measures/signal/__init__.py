"""Measures that look at the image: nucleus and annulus, marrow."""
