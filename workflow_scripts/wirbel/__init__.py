"""Wirbel: spine measurements from cohorts of sagittal T2-weighted MRI."""

__version__ = "0.1.0"
