"""Whether the border of the scan cuts off so much of a structure that its shape is in doubt."""

from __future__ import annotations

import numpy as np

from wirbel.core.measures.frames import Region

FLANK_FRACTION = 0.6
"""A sagittal layer this small beside the largest lies in the outer tenth of an elliptic body's width."""
LEAST_HALF = 0.55
"""Share of the half that is whole that the other half, which the border cuts, has to have: so a fifth of the width may
be cut off, which moves the middle by a tenth of it."""
LARGEST_EDGE = 0.95
"""A layer at the border that is nearly as large as the largest does not tell where the middle lies; a fifth of the
width less, an elliptic outline's has 0.8 of it, one with an exponent of 3 has 0.92."""


def is_cut(
    region: Region,
    sideways: np.ndarray,
    canal_mm: np.ndarray | None = None,
    flank_fraction: float = FLANK_FRACTION,
) -> bool:
    """Return whether the border of the scan cuts off so much of a structure that its mid-sagittal shape is in doubt.

    Any voxel at the border does, except at the ends of the array axis nearest to `sideways` as long as the layer
    there is small, or as long as nearly the same is seen on either side of the canal's middle: then only a flank is
    cut off.

    Parameters
    ----------
    region : Region
        The structure.
    sideways : ndarray, shape (3,)
        Direction from left to right, RAS+.
    canal_mm : ndarray, shape (3,), optional
        The canal's middle behind it, world mm.
    flank_fraction : float
        A layer at the border is small up to this fraction of the largest layer.
    """
    cosine = np.abs(sideways @ (region.grid.affine[:3, :3] / region.grid.spacing_mm))
    for axis in range(3):
        layers = region.mask.sum(tuple(k for k in range(3) if k != axis))
        allowed = flank_fraction * layers.max() if axis == cosine.argmax() else 0
        large = (layers[outermost_layers(region, axis)] > allowed).any()
        if large and not (axis == cosine.argmax() and _only_flank(region, axis, canal_mm)):
            return True
    return False


def outermost_layers(region: Region, axis: int) -> np.ndarray:
    """Return which layers of a region's box along an array axis lie at the border of the scan, as booleans."""
    at, outer = region.start[axis] + np.arange(region.mask.shape[axis]), region.border_layers[axis]
    return (at < outer) | (at >= region.full_shape[axis] - outer)


def _only_flank(region: Region, axis: int, canal_mm: np.ndarray | None) -> bool:
    """Whether no more than a flank is cut off, by the canal's middle or by the depths that layers show."""
    if canal_mm is None:
        return False
    if not _lopsided(region, axis, canal_mm):
        return True
    if np.any(region.border_sides(np.argwhere(region.mask))[:, axis], axis=0).all():
        return False  # of what is cut on both sides, depths do not tell the middle
    depths = _depths(region, axis, canal_mm)
    return _even_halves(depths if depths[-1] >= depths[0] else depths[::-1])


def _depths(region: Region, axis: int, canal_mm: np.ndarray) -> np.ndarray:
    """Return from back to front how many voxels each layer along an array axis shows, seen from above.

    Bodies are hollow, and both bodies and discs may be wedged to the side; their outline from above is alike on
    both sides all the same.
    """
    ahead = np.abs(
        (region.centroid_mm - canal_mm) @ (region.grid.affine[:3, :3] / region.grid.spacing_mm)
    )
    others = [k for k in range(3) if k != axis]
    up = min(others, key=lambda k: ahead[k])
    seen = region.mask.any(up, keepdims=True)
    return seen.sum(tuple(others))


def _lopsided(region: Region, axis: int, canal_mm: np.ndarray) -> bool:
    """Whether much less is seen on one side of the canal's middle, along an array axis, than on the other."""
    middle = region.grid.to_index(canal_mm)[axis]
    seen = np.flatnonzero(region.mask.any(tuple(k for k in range(3) if k != axis)))
    halves = middle - (seen[0] - 0.5), seen[-1] + 0.5 - middle
    return min(halves) < LEAST_HALF * max(halves)


def _even_halves(depths: np.ndarray) -> bool:
    """Whether layers of these depths, from side to side, miss a flank at most at their end, which the border cuts.

    Bodies and discs are alike on both sides, also where they are turned against the canal: what is as deep as the
    layer at the border lies as far to the other side of the middle.
    """
    depths = depths[np.flatnonzero(depths)[0] :]
    edge, largest = depths[-1], int(depths.argmax())
    if edge > LARGEST_EDGE * depths[largest]:
        return False
    rising = np.concatenate([[0.0], np.maximum.accumulate(depths[: largest + 1])])
    mirrored = np.interp(edge, rising, np.arange(len(rising)) - 1.0)
    middle = (mirrored + len(depths) - 1) / 2
    halves = middle + 0.5, len(depths) - 0.5 - middle
    return min(halves) >= LEAST_HALF * max(halves)
