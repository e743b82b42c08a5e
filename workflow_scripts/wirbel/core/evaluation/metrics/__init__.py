"""Measures of agreement between two label maps: overlap, surfaces, instances."""
