"""What DICOM headers say: read without pixels, gathered to series, and what of them may be passed on."""
