"""Which values of a cohort are unusual for their level, sex and age: flags for the tables, never a filter."""
