"""Figures of the calibration, written by `benchmarks/levels/reliability.py --calibrate`."""

SLOPE, OFFSET = 1.0, 0.0
MAPS = 0
RELIABILITY: tuple[tuple[float, float, int, float], ...] = ()
"""Confidence from, to, number of maps, share of them named right."""
