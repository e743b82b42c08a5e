"""Slabs of a volume too large to be filtered at once, with the margins that make the result the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

Box = tuple[slice, ...]

LARGEST_AT_ONCE = 1 << 25
"""Voxels (two whole-spine scans at 0.5 mm in the slice) that are filtered in one go, in about 0.7 GB."""
SPLINE_MARGIN = 32
"""A voxel's share in a cubic spline's coefficients falls by 0.268 per voxel (Unser, IEEE Signal Process Mag
1999;16(6):22): after 32 it is below the rounding of float64."""
GAUSSIAN_REACH = 4.0
"""Standard deviations after which scipy cuts a Gaussian off."""


@dataclass(frozen=True)
class Slab:
    """One slab: the voxels to read (`source`), those of them that are its own (`own`, within `source`), the voxels that
    it gives (`target`), and the `offset` (3 voxels) by which `target` maps into `source`."""

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
    """Yield slabs along the longest axis; all in one for volumes that are not large, and for turned grids.

    source_index = `matrix` (3 x 3) @ target_index + `offset`; `sigma`: standard deviations of the blur (3 source
    voxels).
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
    """Return a slice along one axis, everything along the others."""
    return tuple(slice(start, stop) if i == axis else slice(None) for i in range(3))
