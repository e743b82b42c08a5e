"""Fracture grades, and the heights that unfractured vertebrae would have."""
