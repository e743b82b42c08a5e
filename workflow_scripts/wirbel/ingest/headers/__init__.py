"""What DICOM headers say: read without pixels, as plain values, gathered to series; and what of them may be passed on."""
