"""Split a volume too large to be filtered at once into slabs, with margins that keep the result the
same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wirbel.core.boxes import Box

LARGEST_AT_ONCE = 1 << 25
"""Voxels that are filtered at once, in about 0.7 GB: two whole-spine scans with 0.5 mm pixels."""
SPLINE_MARGIN = 32
"""A voxel's weight in a cubic spline's coefficients falls by a factor of 0.268 per voxel (Unser, IEEE
Signal Process Mag 1999;16(6):22); after 32 voxels it is below float64's rounding.
"""
GAUSSIAN_REACH = 4.0
"""scipy truncates a Gaussian after this many standard deviations."""


@dataclass(frozen=True)
class Slab:
    """One slab.

    Attributes
    ----------
    source : tuple of slices
        Source voxels to read.
    own : tuple of slices
        Those that belong to this slab alone, relative to `source`.
    target : tuple of slices
        Target voxels that the slab gives.
    offset : ndarray, shape (3,)
        Offset from `target` to `source` indices.
    """

    source: Box
    own: Box
    target: Box
    offset: np.ndarray


def slabs(
    shape: tuple[int, ...],
    target_shape: tuple[int, ...],
    matrix: np.ndarray,
    offset: np.ndarray,
    sigma: np.ndarray,
) -> Iterator[Slab]:
    """Yield slabs along the longest axis; a small volume or a rotated grid is one slab.

    Parameters
    ----------
    shape, target_shape : tuple of three int
        Voxels of the source and of the target.
    matrix, offset : ndarray, shapes (3, 3) and (3,)
        source_index = matrix @ target_index + offset.
    sigma : ndarray, shape (3,)
        Standard deviations of the blur, in source voxels.
    """
    axis = int(np.argmax(shape))
    step = matrix[axis, axis]
    turned = not np.allclose(matrix, np.diag(np.diag(matrix))) or step <= 0
    if np.prod(shape, dtype=float) <= LARGEST_AT_ONCE or turned:
        yield Slab(_box(axis), _box(axis), _box(axis), offset)
        return
    length = shape[axis]
    rows = max(1, int(LARGEST_AT_ONCE * length / np.prod(shape, dtype=float)))
    margin = SPLINE_MARGIN + int(GAUSSIAN_REACH * sigma[axis] + 1)
    at = np.clip(np.floor(step * np.arange(target_shape[axis]) + offset[axis]), 0, length - 1)
    for first in range(0, length, rows):
        last = min(first + rows, length)
        begin, end = max(0, first - margin), min(length, last + margin)
        low, high = (int(n) for n in np.searchsorted(at, [first, last]))
        moved = offset.copy()
        moved[axis] += step * low - begin
        own = _box(axis, first - begin, last - begin)
        yield Slab(_box(axis, begin, end), own, _box(axis, low, high), moved)


def _box(axis: int, start: int | None = None, stop: int | None = None) -> Box:
    """Return a slice along one axis and everything along the others."""
    return tuple(slice(start, stop) if i == axis else slice(None) for i in range(3))
