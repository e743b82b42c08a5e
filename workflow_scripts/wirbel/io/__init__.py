"""The only place that reads or writes files; every write is atomic and gives the same bytes again."""
