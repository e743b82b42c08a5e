"""Measures of the spinal cord along its length."""
