"""Figures of the calibration, written by `benchmarks/levels/reliability.py --calibrate`."""

SLOPE, OFFSET = 0.703, 0.799
MAPS = 2064
RELIABILITY: tuple[tuple[float, float, int, float], ...] = (
    (0.0, 0.5, 65, 0.692),
    (0.5, 0.7, 138, 0.732),
    (0.7, 0.8, 127, 0.89),
    (0.8, 0.9, 367, 0.883),
    (0.9, 1.0, 1367, 0.952),
)
"""Confidence from, to, number of maps, share of them named right."""
