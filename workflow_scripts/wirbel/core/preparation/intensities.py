"""A linear intensity range that outliers do not affect."""

from __future__ import annotations

import numpy as np

LOW_PERCENTILE = 0.1
HIGH_PERCENTILE = 99.9
"""Beyond these percentiles are spikes and flowing blood, a thousandth of the voxels."""
TOP = 2000
"""The upper percentile maps to this value; its steps are finer than the noise of any scan (SNR < 500)."""


def robust_range(data: np.ndarray) -> tuple[float, float]:
    """Return the 0.1 and 99.9 percentiles, or minimum and maximum if those coincide."""
    low, high = np.percentile(data, [LOW_PERCENTILE, HIGH_PERCENTILE])
    if high <= low:
        low, high = data.min(), data.max()
    return float(low), float(high)


def to_fixed_range(data: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Map intensities linearly from their robust range to 0 ... 2000.

    The map is linear to keep the scanner's contrast; the network standardises mean and spread
    itself.

    Parameters
    ----------
    data : ndarray
        Intensities, any shape.

    Returns
    -------
    scaled : ndarray of int16
        Values outside the range are clipped.
    limits : tuple of two float
        The robust range.

    Examples
    --------
    >>> to_fixed_range(np.array([0.0, 50.0, 100.0]))[0].tolist()
    [0, 1000, 2000]
    """
    low, high = robust_range(data)
    scale = TOP / (high - low) if high > low else 0.0
    scaled = np.clip((data.astype(np.float32, copy=False) - low) * np.float32(scale), 0, TOP)
    return np.rint(scaled).astype(np.int16), (low, high)
