"""SPINEPS' own steps from instances to the final maps and names."""
