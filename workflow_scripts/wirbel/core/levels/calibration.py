"""From the model's probability to the share of scans that are named right, as counted on faulty maps."""

from __future__ import annotations

import numpy as np

from wirbel.core.levels.calibration_figures import MAPS, OFFSET, RELIABILITY, SLOPE


def calibrated(probability: float, slope: float = SLOPE, offset: float = OFFSET) -> float:
    """Return the confidence (three decimals) for the model's own probability that all names are right.

    A logistic map of its log odds (Platt 1999), fitted by `benchmarks/levels/reliability.py --calibrate`. It lowers
    probabilities and never raises them: people have transitional vertebrae more often (12 %, Konin and Walz, AJNR
    2010;31:1778) than simulated persons.
    """
    inside = float(np.clip(probability, 1e-4, 1 - 1e-4))
    odds = slope * np.log(inside / (1 - inside)) + offset
    return round(min(float(1 / (1 + np.exp(-odds))), inside), 3)


def in_words() -> str:
    """Return how reliable confidences are, for the dictionary."""
    rows = [
        f"of those from {low:g} to {high:g}, {right:.0%} right"
        for low, high, _, right in RELIABILITY
    ]
    return f"counted on {MAPS} maps: {'; '.join(rows)}"
