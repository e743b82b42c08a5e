"""The trained networks: where they are, what they expect, and whether their bytes are the right ones."""
