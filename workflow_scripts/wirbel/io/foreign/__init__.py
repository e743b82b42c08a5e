"""Read tables and texts that people made: participants, reviews, label schemes."""
