"""Where the trained networks are, what they expect, and whether their bytes are the right ones."""
