"""Corners of an endplate whose bone has no second endplate to measure from: that of the sacrum, and that of C2.

The disc's face is the endplate; the walls of the bone next to it, in the mid-sagittal plane, are straight lines
that are drawn on to the endplate, as on a radiograph.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wirbel.core.measures import status as S
from wirbel.core.measures.fitting import fit
from wirbel.core.measures.frames import Region
from wirbel.core.measures.shape.endplates import Endplate
from wirbel.core.measures.shape.walls import MINIMUM_POINTS, OUTLIER_MM

NEAREST_MM, FURTHEST_MM = 3.0, 13.0
"""Walls are fitted between these distances from the endplate: clear of its rounded rim, and within half of the
lowest body that is asked for (C2 below its dens, 20 mm)."""
LEAST_SHARE, LARGEST_SHARE = 0.6, 1.5
"""Smallest and largest depth of the endplate over that of the disc's face: else the walls are others."""


def corners_beside(
    face: Endplate, bone: Region, canal_mm: np.ndarray, right: np.ndarray, slab_mm: float, side: int
) -> tuple[Endplate | None, str]:
    """Return the endplate of a bone that touches a disc's face, with corners of its own, and a status code.

    Parameters
    ----------
    face : Endplate
        The disc's face.
    bone : Region
        The vertebra, or the sacrum.
    canal_mm : ndarray, shape (n, 3)
        Points of the canal, world mm; what lies behind them is arch and left out.
    right : ndarray, shape (3,)
        Unit vector, the mid-sagittal plane's normal.
    slab_mm : float
        Points within 1.5 times this of the plane count.
    side : int
        1 when the bone lies above the disc, -1 below.
    """
    middle = (face.back_mm + face.front_mm) / 2
    away = side * (face.normal - (face.normal @ face.forward) * face.forward)
    axes = np.stack([right, face.forward, away])
    behind = _back_limit((canal_mm - middle) @ axes.T)
    if behind is None:
        return None, S.NO_CANAL
    index = np.argwhere(bone.mask)
    local = (bone.grid.to_world(index) - middle) @ axes.T
    # a little beyond both ends, so that a layer's end is no wall
    near = (
        (np.abs(local[:, 0]) < 1.5 * slab_mm)
        & (local[:, 2] > 0)
        & (local[:, 2] < 1.5 * FURTHEST_MM)
    )
    near &= local[:, 1] > behind
    if not near.any():
        return None, S.SURFACE_INCOMPLETE
    if bone.border_voxels(index[near]).any():
        return None, S.TOUCHES_BORDER
    mask = np.zeros_like(bone.mask)
    mask[tuple(index[near].T)] = True
    ends = replace(bone, mask=mask).ends(face.forward)
    front, back = (_wall_at_endplate((wall - middle) @ axes.T, slab_mm) for wall in ends)
    if front is None or back is None:
        return None, S.SURFACE_INCOMPLETE
    if not LEAST_SHARE < (front - back) / face.depth_mm < LARGEST_SHARE:
        return None, S.SURFACE_INCOMPLETE
    corners = (middle + at * face.forward for at in (back, front))
    return Endplate(face.normal, *corners), S.OK


def _back_limit(canal: np.ndarray) -> float | None:
    """Return the forward coordinate of the canal's middle beside the bone, or None."""
    beside = (canal[:, 2] > 0) & (canal[:, 2] < FURTHEST_MM) & (np.abs(canal[:, 0]) < FURTHEST_MM)
    return float(canal[beside, 1].mean()) if beside.sum() >= MINIMUM_POINTS else None


def _wall_at_endplate(wall: np.ndarray, slab_mm: float) -> float | None:
    """Return where a straight line along the wall's points (right, forward, away mm) meets the endplate."""
    use = (np.abs(wall[:, 0]) < slab_mm) & (wall[:, 2] > NEAREST_MM) & (wall[:, 2] < FURTHEST_MM)
    for _ in range(2):
        if use.sum() < MINIMUM_POINTS:
            return None
        away, right = wall[:, 2] / FURTHEST_MM, wall[:, 0] / slab_mm
        design = np.column_stack([np.ones(len(wall)), away, right])
        line = fit(design[use], wall[use, 1])
        residual = np.abs(wall[:, 1] - design @ line)
        use &= residual < max(OUTLIER_MM, 3 * np.median(residual[use]))
    return float(line[0])
