"""Results against known label maps and measures: overlap, instances found, errors of measures."""
