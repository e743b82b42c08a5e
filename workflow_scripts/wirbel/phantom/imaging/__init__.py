"""From an anatomy to an image: grid, tissues, contrast, scanner."""
