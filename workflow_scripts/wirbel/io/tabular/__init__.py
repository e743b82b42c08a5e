"""Write and read the workflow's own tables, as CSV and Parquet."""
