"""Figures of the calibration, written by `benchmarks/levels/reliability.py --calibrate`."""

SLOPE, OFFSET = 1.354, -0.3
MAPS = 2060
RELIABILITY: tuple[tuple[float, float, int, float], ...] = (
    (0.0, 0.5, 261, 0.284),
    (0.5, 0.7, 174, 0.73),
    (0.7, 0.8, 156, 0.846),
    (0.8, 0.9, 754, 0.885),
    (0.9, 1.0, 715, 0.955),
)
"""Confidence from, to, number of maps, share of them named right."""
