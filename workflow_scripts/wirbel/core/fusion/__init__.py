"""Combine several imperfect, partial segmentations of one scan into one annotation."""
