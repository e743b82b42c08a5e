"""Which vertebra is which: names of levels, sizes by level, and renumbering."""
