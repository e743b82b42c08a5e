"""What cohorts deliver, whole and damaged, with identifiers planted wherever DICOM has room for them."""
