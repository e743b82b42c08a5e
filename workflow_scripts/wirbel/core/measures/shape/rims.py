"""What the rims of a body tell: its heights at the corners, and how hollow its endplates are."""

from __future__ import annotations

import numpy as np

from wirbel.core.measures import status as S
from wirbel.core.measures.fitting import fit
from wirbel.core.measures.shape.surfaces import MINIMUM_WINDOW_VOXELS, Block, SurfaceError
from wirbel.core.measures.shape.walls import MINIMUM_POINTS, OUTLIER_MM

RIM = 0.08
"""Rims of an endplate: at this part of the depth from its ends the line begins that its concavity is measured from."""
CORNER_INSET = 0.03
"""Corner heights are those at 3 % of the depth from the rim."""
ROUNDED_MM = 0.8
"""Edges of bodies are rounded, and voxels round them further: nearer to a wall than this a surface falls away from the
endplate that a reader's points lie on, and is left out."""
CORNER_WINDOW = 0.4
"""What a surface near the rim strays from the parabola along all of it is looked for over so much of the depth."""


def concavity_mm(block: Block, side: int) -> float:
    """Return how far the middle of the upper (`side` 1) or lower surface lies within the line between its rims, mm."""
    fractions = (RIM, 0.5, 1 - RIM)
    try:
        back, middle, front = (block.surface_at(f, side) for f in fractions)
    except (
        SurfaceError
    ):  # a small body in few slices: too few points within the narrow windows at its rims
        points = block.upper if side > 0 else block.lower
        places = [block.back_mm + f * block.depth_mm for f in fractions]
        back, middle, front = (_surface_mm(block, points, at) for at in places)
    return side * ((back + front) / 2 - middle)


def corner_height_mm(block: Block, side: int) -> float:
    """Return the height at the rim: in front (`side` 1) or at the back (-1), in the mid-sagittal plane, mm.

    Where one surface ends before the rim, as walls that bulge or bear spurs reach beyond it, the height is that at
    its end; where both meet before the rim, as in a collapsed corner, it is 0. Raises SurfaceError when too few points
    are left.
    """
    rim = (block.front_mm if side > 0 else block.back_mm) - side * CORNER_INSET * block.depth_mm
    at = side * min(side * rim, *(_end_mm(block, p, side) for p in (block.upper, block.lower)))
    upper, lower = (_surface_mm(block, points, at) for points in (block.upper, block.lower))
    return max(upper - lower, 0.0)


def _end_mm(block: Block, points: np.ndarray, side: int) -> float:
    """Return how far a surface and its rounded edge reach to the front (`side` 1) or back, near the midline."""
    near = points[np.abs(points[:, 0]) < block.slab_mm, 1]
    return float(np.percentile(side * near, 99)) + ROUNDED_MM if len(near) else np.inf


def _surface_mm(block: Block, points: np.ndarray, at: float) -> float:
    """Return a surface's superior mm at the anterior mm `at`: a parabola along all of it, and what is amiss near there.

    One parabola alone misses a collapsed corner, a local one alone is led astray by single layers of voxels.
    """
    inner = np.minimum(points[:, 1] - block.back_mm, block.front_mm - points[:, 1]) > ROUNDED_MM
    central = np.abs(points[:, 0]) < block.slab_mm
    enough = (inner & central).sum() >= 2 * MINIMUM_POINTS
    points = points[inner & central] if enough else points[central]
    middle, half = (block.back_mm + block.front_mm) / 2, block.depth_mm / 2
    along, aside = (points[:, 1] - middle) / half, points[:, 0] / block.slab_mm
    weight = 1 - aside**2
    design = np.column_stack([np.ones(len(points)), along, aside, along**2])
    use = np.ones(len(points), bool)
    for _ in range(2):
        if use.sum() < MINIMUM_POINTS:
            raise SurfaceError(S.SURFACE_INCOMPLETE)
        parabola = fit(design[use], points[use, 2], weight[use])
        off = points[:, 2] - design @ parabola
        use &= np.abs(off) < OUTLIER_MM
    there = (at - middle) / half
    window = max(CORNER_WINDOW * block.depth_mm, MINIMUM_WINDOW_VOXELS * block.voxel_mm)
    near = (points[:, 1] - at) / window
    weight = use * weight * np.maximum(1 - near**2, 0)
    if (weight > 0).sum() < MINIMUM_POINTS:
        return float(parabola @ (1, there, 0, there**2))
    line = np.column_stack([np.ones(len(points)), near])[weight > 0]
    amiss = fit(line, off[weight > 0], weight[weight > 0])[0]
    return float(parabola @ (1, there, 0, there**2) + amiss)
