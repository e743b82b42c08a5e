"""What a cohort delivers: DICOM series in folders and archives, made into one scan each.

Nothing of a DICOM header but what `wirbel.ingest.headers.facts` allows leaves this package: no value, no UID
and no file name stands in a message, a log or a result.
"""
