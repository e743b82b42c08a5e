"""How far pieces reach, and how large they are beside their neighbours."""

from __future__ import annotations

import numpy as np

NEARBY_MM = 70.0
"""Two lumbar levels."""
LEAST_OF_LARGEST = 0.15
"""The smallest body over the largest of a spine (C3 3 ml, L4 20 ml): a lonely bit is none."""
LARGE = 0.5
"""A piece of this part of the largest ones' volume is a body for sure."""


def extent_mm(position_mm: np.ndarray) -> float:
    """Return how far positions reach: their central 96 %, scaled to the whole, and one millimetre at the least."""
    low, high = np.quantile(position_mm, (0.02, 0.98))
    return max(float(high - low) / 0.96, 1.0)


def share_of_neighbours(volume: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return each volume over that of the second largest piece nearby (the largest may be a merged one), 1 at most."""
    usual = np.zeros(len(volume))
    for i, at in enumerate(middle):
        usual[i] = _second_largest(volume[np.abs(middle - at) <= NEARBY_MM])
    return np.minimum(volume / np.maximum(usual, LEAST_OF_LARGEST * _second_largest(volume)), 1.0)


def _second_largest(values: np.ndarray) -> float:
    return float(np.sort(values)[-2:][0])


def is_large(volume: np.ndarray) -> np.ndarray:
    """Return which pieces (n,) are bodies for sure, beside the three largest."""
    return volume >= LARGE * np.sort(volume)[-3:].mean()
