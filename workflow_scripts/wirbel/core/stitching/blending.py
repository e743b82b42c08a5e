"""One grid for all stations, and one image from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wirbel.core.geometry import Grid, Volume
from wirbel.core.resampling import index_map, resample_image

BRIGHT_SHARE = 0.2
"""Of the 95th percentile: darker voxels are air and noise, and tell nothing of the intensities' ratio."""
LARGEST_RATIO = 4.0
"""Between stations; more is not the receiver's gain but another image."""
ROUNDING = 1e-3
"""Voxels by which grids may miss each other's faces through rounding in a header."""
TINY = 1e-3
"""Weight at the end of a station: it counts where no other one is."""


def common_grid(reference: Grid, grids: Sequence[Grid]) -> Grid:
    """Return the reference's grid, continued until it covers all others.

    Voxels of the reference stay where they are, so that its image is copied and not interpolated.

    Parameters
    ----------
    reference : Grid
        The grid whose axes and voxel size are kept; oblique if it is.
    grids : sequence of Grid
        What is to be covered.
    """
    corners = [reference.to_index(_corners(grid)) for grid in grids]
    half = 0.5 + ROUNDING  # from a voxel's face to its centre
    low = np.floor(np.min([c.min(axis=0) for c in corners], axis=0) + half).astype(int)
    high = np.ceil(np.max([c.max(axis=0) for c in corners], axis=0) - half).astype(int)
    low, high = np.minimum(low, 0), np.maximum(high, np.array(reference.shape) - 1)
    affine = reference.affine.copy()
    affine[:3, 3] = reference.to_world(low)
    return Grid(tuple(int(n) for n in high - low + 1), affine)


def _corners(grid: Grid) -> np.ndarray:
    """Return the outer corners of a grid's voxels, shape (8, 3), in world mm."""
    ends = [(-0.5, n - 0.5) for n in grid.shape]
    return grid.to_world(np.array(np.meshgrid(*ends, indexing="ij")).reshape(3, -1).T)


def intensity_ratio(one: np.ndarray, other: np.ndarray) -> float:
    """Return the factor that makes `other` as bright as `one` in their overlap.

    The median of the voxels' ratios, so that noise, edges and moving parts do not count.

    Parameters
    ----------
    one, other : ndarray
        Intensities on one grid; NaN where there are none.
    """
    both = np.isfinite(one) & np.isfinite(other)
    if not both.any():
        return 1.0
    a, b = one[both], other[both]
    bright = (a > BRIGHT_SHARE * np.percentile(a, 95)) & (b > BRIGHT_SHARE * np.percentile(b, 95))
    if not bright.any():
        return 1.0
    ratio = float(np.exp(np.median(np.log(a[bright]) - np.log(b[bright]))))
    return float(np.clip(ratio, 1 / LARGEST_RATIO, LARGEST_RATIO))


def blended(
    stations: Sequence[Volume], grid: Grid, along: int, ramps_mm: Sequence[tuple[float, float]]
) -> Volume:
    """Return one image of all stations.

    Parameters
    ----------
    stations : sequence of Volume
        With the same order and directions of axes, moved and matched already.
    grid : Grid
        Where the image goes.
    along : int
        The axis along the spine.
    ramps_mm : sequence of (first, last)
        For each station, over which length its weight grows from each end; 0 where it has no
        neighbour.

    Returns
    -------
    Volume
        float32; 0 where no station is.
    """
    total, weights = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    for station, ramps in zip(stations, ramps_mm, strict=True):
        place = _covered(station.grid, grid)
        part = Grid(
            tuple(p.stop - p.start for p in place), _shifted(grid, [p.start for p in place])
        )
        weight = _weight(station.grid, part, along, ramps)
        values = resample_image(station, part).data
        total[place] += weight * np.maximum(values, 0)
        weights[place] += weight
    return Volume(np.divide(total, weights, out=total, where=weights > 0), grid.affine)


def _covered(grid: Grid, within: Grid) -> tuple[slice, ...]:
    """Return the part of a grid that another one can reach."""
    index = within.to_index(_corners(grid))
    low = np.clip(np.floor(index.min(axis=0)), 0, np.array(within.shape) - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)), 0, np.array(within.shape) - 1).astype(int)
    return tuple(slice(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))


def _shifted(grid: Grid, start: Sequence[int]) -> np.ndarray:
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world(np.array(start))
    return affine


def _weight(own: Grid, target: Grid, along: int, ramps: tuple[float, float]) -> np.ndarray:
    """Return a station's weight on a grid: 1 inside, falling to TINY at seams, 0 outside of its voxels."""
    matrix, offset = index_map(own, target)
    axes = [np.arange(n) for n in target.shape]
    inside, place = np.ones(target.shape, bool), None
    for row in range(3):
        index = offset[row] + sum(
            (matrix[row, a] * axes[a]).reshape([-1 if b == a else 1 for b in range(3)])
            for a in range(3)
        )
        inside &= (index >= -0.5) & (index <= own.shape[row] - 0.5)
        place = index if row == along else place
    assert place is not None  # one of the rows is that of the spine
    size = own.spacing_mm[along]
    weight = _ramp((place + 0.5) * size, ramps[0]) * _ramp(
        (own.shape[along] - 0.5 - place) * size, ramps[1]
    )
    return np.where(inside, np.maximum(weight, TINY), 0).astype(np.float32)


def _ramp(distance_mm: np.ndarray, length_mm: float) -> np.ndarray:
    """Return a smooth step from 0 at an end to 1 after `length_mm`."""
    if length_mm <= 0:
        return np.ones_like(distance_mm)
    t = np.clip(distance_mm / length_mm, 0, 1)
    return t * t * (3 - 2 * t)
