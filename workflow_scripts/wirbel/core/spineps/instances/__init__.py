"""SPINEPS' own steps around the instance network."""
