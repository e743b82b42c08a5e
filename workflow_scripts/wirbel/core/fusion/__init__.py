"""Combine several segmentations of one scan, each partial and with errors of its own, to one annotation."""
