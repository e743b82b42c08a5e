"""What a DICOM header says: read without its pixels, as plain values, and what of it may be passed on."""
