"""Measures of shape beyond heights, depths and widths: bulges, cross-sections."""
