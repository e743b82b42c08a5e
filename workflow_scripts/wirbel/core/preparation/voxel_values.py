"""Decide what is background, artefact and image in a scan's intensities, in the same way for every
stage.

Nothing here depends on the order in which a scan stores its voxels, and no function needs more
memory than a few pieces.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wirbel.core.geometry import Volume

SHORT_BYTES = 2
"""Whole numbers of up to 16 bits take 65,536 values at most."""
PIECE_VOXELS = 1 << 22
OUTER_PERCENT = 5.0
"""Between this percentile and its opposite lie, background excluded, intensities that surely belong to
the image.
"""
FARTHEST = 20.0
"""Values further outside than this many times that spread are not tissue: fluid, fat near a coil and
fresh blood are at most ten times as bright as marrow.
"""
MOST_OUTLIERS = 0.02
"""A larger fraction is not an artefact but the image itself."""
LOWEST_SHARE = -0.05
"""Magnitudes are not negative, but interpolation leaves values a little below 0."""
HIGHEST_SHARE = 0.5
"""Cortical bone and air are black. If the darkest hundredth is brighter than half of the brightest,
the true zero is lost.
"""
_STEPS = 1 << 16
_SIGN = np.uint32(1 << 31)


def cleaned(volume: Volume) -> Volume:
    """Return a scan as all stages see it: with `clean` applied to its voxels."""
    return volume.with_data(clean(volume.data)[0])


def clean(data: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return finite, credible intensities.

    NaN, infinity, and up to 2 % of voxels that lie absurdly far (`FARTHEST`) from all others become
    the darkest credible value, because tools that resample write NaN outside their field of view.

    Parameters
    ----------
    data : ndarray
        Intensities, any shape.

    Returns
    -------
    data : ndarray
        Same shape and type. An image without finite values becomes 0.
    replaced : ndarray of bool, or None
        Where values were replaced; None if nowhere.

    Examples
    --------
    >>> clean(np.array([3.0, np.nan, 5.0]))[0].tolist()
    [3.0, 3.0, 5.0]
    """
    replaced = None
    if data.dtype.kind == "f" and not (finite := np.isfinite(data)).all():
        replaced = ~finite
        data = _darkened(data, replaced)
    low, high = credible_range(data)
    if data.size and (data.min() < low or data.max() > high):
        absurd = (data < low) | (data > high)
        if absurd.sum() <= MOST_OUTLIERS * data.size:
            replaced = absurd if replaced is None else replaced | absurd
            data = _darkened(data, replaced)
    return data, replaced


def has_zero(data: np.ndarray) -> bool:
    """Return True if 0 means no signal; ratios are meaningless in negative, standardised or shifted
    images.
    """
    low, high = _percentiles(_counts(data), (1.0, 99.0))
    return LOWEST_SHARE * high <= low <= HIGHEST_SHARE * high


def credible_range(data: np.ndarray) -> tuple[float, float]:
    """Return the limits beyond which a finite value cannot belong to the image."""
    counts = _counts(data)
    if np.count_nonzero(counts) > 1:
        counts[counts.argmax()] = 0  # background, where there is one
    low, high = _percentiles(counts, (OUTER_PERCENT, 100 - OUTER_PERCENT))
    margin = FARTHEST * (high - low)
    return (low - margin, high + margin) if margin > 0 else (-np.inf, np.inf)


def pieces(data: np.ndarray) -> Iterator[np.ndarray]:
    """Yield all values as flat pieces; a large array is split along its first axis."""
    if data.size <= PIECE_VOXELS or len(data) == 1:
        yield data.reshape(-1)
        return
    rows = max(1, PIECE_VOXELS * len(data) // data.size)
    for first in range(0, len(data), rows):
        yield data[first : first + rows].reshape(-1)


def _darkened(data: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return `data` with the smallest value found elsewhere at the places `where`."""
    if where.all():
        return np.zeros_like(data)
    first = data[np.unravel_index(np.argmin(where), where.shape)]
    lowest = np.min(data, where=~where, initial=first)
    return np.where(where, lowest, data)


def _counts(data: np.ndarray) -> np.ndarray:
    """Return the number of values in each step; a step is at most 1 % wide."""
    if data.dtype.kind in "iu" and data.dtype.itemsize <= SHORT_BYTES and data.size:
        return _counts_of_short(data)
    counts = np.zeros(_STEPS, np.int64)
    for piece in pieces(data):
        counts += np.bincount(_step(piece), minlength=_STEPS)
    return counts


def _counts_of_short(data: np.ndarray) -> np.ndarray:
    """Do the same for whole numbers of few bits: the step of each number is looked up once, not of each voxel."""
    low, high = int(data.min()), int(data.max())
    tally = np.zeros(high - low + 1, np.int64)
    for piece in pieces(data):
        tally += np.bincount(np.subtract(piece, low, dtype=np.int64), minlength=tally.size)
    counts = np.zeros(_STEPS, np.int64)
    np.add.at(counts, _step(np.arange(low, high + 1)), tally)
    return counts


def _percentiles(counts: np.ndarray, percents: tuple[float, ...]) -> list[float]:
    """Return percentiles to within a step."""
    sums = np.cumsum(counts)
    steps = [int(np.searchsorted(sums, max(1, p / 100 * sums[-1]))) for p in percents]
    return [_value(step) for step in steps]


def _step(values: np.ndarray) -> np.ndarray:
    """Return the leading 16 bits of each value as float32, rearranged so that they rise with the
    value.
    """
    bits = values.astype(np.float32).view(np.uint32)
    ascending = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return (ascending >> np.uint32(16)).astype(np.int64)


def _value(step: int) -> float:
    """Return the lowest magnitude of a step."""
    ascending = np.uint32(step << 16)
    bits = ascending ^ _SIGN if ascending & _SIGN else ~ascending & np.uint32(0xFFFF0000)
    return float(np.array(bits, np.uint32).view(np.float32))
