"""Read and write NIfTI files, and check every field before it is used."""
