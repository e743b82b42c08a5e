"""A linear intensity range that outliers do not decide."""

from __future__ import annotations

import numpy as np

LOW_PERCENTILE = 0.1
HIGH_PERCENTILE = 99.9
"""Beyond them lie spikes and flowing blood, a thousandth of the voxels."""
TOP = 2000
"""Value of the upper percentile: its steps are finer than the noise of any scan (SNR < 500)."""


def robust_range(data: np.ndarray) -> tuple[float, float]:
    """Return the 0.1 and 99.9 percentiles; the minimum and maximum where those coincide."""
    low, high = np.percentile(data, [LOW_PERCENTILE, HIGH_PERCENTILE])
    if high <= low:
        low, high = data.min(), data.max()
    return float(low), float(high)


def to_fixed_range(data: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Return `data` mapped linearly from its robust range to 0 ... 2000 (int16), and that range.

    Values outside are clipped. Linear, so that contrast stays what the scanner made it; the network
    standardises mean and spread.
    """
    low, high = robust_range(data)
    scale = TOP / (high - low) if high > low else 0.0
    scaled = np.clip((data.astype(np.float32, copy=False) - low) * np.float32(scale), 0, TOP)
    return np.rint(scaled).astype(np.int16), (low, high)
