"""From the model's probability to the share of scans that are named right, as counted on faulty maps."""

from __future__ import annotations

import numpy as np

SLOPE, OFFSET = 1.0, 0.0


def calibrated(probability: float) -> float:
    """Return the confidence (three decimals) for the model's own probability that all names are right."""
    inside = float(np.clip(probability, 1e-4, 1 - 1e-4))
    odds = SLOPE * np.log(inside / (1 - inside)) + OFFSET
    return round(float(1 / (1 + np.exp(-odds))), 3)
