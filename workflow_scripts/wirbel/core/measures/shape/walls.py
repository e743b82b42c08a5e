"""Back and front wall of a block-like structure: where its depth begins and ends."""

from __future__ import annotations

import numpy as np

from wirbel.core.measures.fitting import fit

WALL_HEIGHT_FRACTION = 0.84
"""Walls are fitted up to this fraction of the way from mid-height to the endplates, clear of rounded
corners."""
LARGEST_WAIST_MM = 3.0
"""Bodies are narrower half-way up by at most this much on either side; more is a torn-off or eroded
corner, which must not lengthen the depth."""
OUTLIER_MM = 1.5
"""A surface point further from the fit than this is a notch or a spur and is left out."""
MINIMUM_POINTS = 8


def wall_at_rims(
    wall: np.ndarray, half_height_mm: float, slab_mm: float, sign: int
) -> float | None:
    """Return a wall's anterior coordinate (mm) at the endplates' rims, in the mid-sagittal plane.

    Parabolas upwards and from side to side are fitted to the points near the plane. None when too few are left.

    Parameters
    ----------
    wall : ndarray, shape (n, 3)
        Points of the wall, local mm with mid-height at 0.
    half_height_mm : float
        Half the structure's height.
    slab_mm : float
        Points within 1.5 times this of the mid-sagittal plane count.
    sign : int
        1 for the front, -1 for the back.
    """
    up, side = wall[:, 2] / max(half_height_mm, 1e-3), wall[:, 0] / slab_mm
    use = (np.abs(up) < WALL_HEIGHT_FRACTION) & (np.abs(side) < 1.5)
    for _ in range(2):
        if use.sum() < MINIMUM_POINTS:
            return None
        design = np.stack([np.ones_like(up), up, side, up**2, side**2], axis=1)
        parabola = fit(design[use], wall[use, 1])
        residual = np.abs(wall[:, 1] - design @ parabola)
        use &= residual < max(OUTLIER_MM, 3 * np.median(residual[use]))
    waist = np.clip(sign * parabola[3], 0, LARGEST_WAIST_MM)
    return float(parabola[0] + sign * waist)


def outline(points: np.ndarray, slab_mm: float) -> tuple[float, float]:
    """Return (back, front) of a flat structure: the extent of its voxels near the mid-sagittal plane.

    `points`: (n, 3) local mm. The extent is that of the middle 98 %, stretched to 100 %.
    """
    near = points[np.abs(points[:, 0]) < slab_mm, 1]
    back, front = np.percentile(near, (1, 99)) if len(near) else (0.0, 0.0)
    margin = (front - back) / 98
    return float(back - margin), float(front + margin)
