"""The outline of a block-like structure seen from above: its width and depth below slice thickness.

Slices of 3 to 4.4 mm say little about where a flank lies between the last slice that shows the structure
and the first that does not. How the depth shrinks from slice to slice towards the flank does say it: a
smooth closed outline is fitted to the front and back of all slices at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from wirbel.core.measures.curvature.outline import Outline
from wirbel.core.measures.fitting import robust_fit
from wirbel.core.measures.frames import Frame, Region
from wirbel.core.measures.shape.walls import MINIMUM_POINTS, WALL_HEIGHT_FRACTION

LARGEST_NUMBER_OF_POINTS = 700
"""Of more points than this a fixed random part is taken: more add time, not accuracy."""
SCATTER_MM = 0.5
"""Residuals beyond this count less and less (soft L1 loss): about half an in-plane voxel."""
EXPONENTS = (1.6, 2.4, 12.0)
"""Smallest, usual and largest exponent of the outline: a rhombus with round sides, a body, a rectangle."""
SPREAD = (0.35, 0.06)
"""How far the exponent (its logarithm), the flanks' taper, and the difference of their waist from that of
front and back stray from the usual: they are held weakly, for thin bodies that few slices show."""
FLANK_TRUST = 0.3
"""Weight of where slices end at a flank, over that of where columns end within slices: all points of a flank
share the same error, up to half a slice."""
USUAL_ASPECT = 1.35
"""Width over depth where the width was not seen: means are 1.09 to 1.5 (Panjabi et al., Spine 1991;16:888)."""
LARGEST_SLOPE = 0.7
"""A surface point belongs to the wall when its normal is more than 45 degrees off the axis."""
HOLD_MM = 0.06
"""Misfit per point that straying by one spread is worth."""
RIM_FRACTION = 0.85
"""Share of an endplate that lies deeper than its rim: endplates are hollow, discs bulge into them."""
MIDDLE_MM = 1.0
"""Where the width was not seen the middle lies at most this far from the mid-sagittal plane."""
BEYOND_SEEN_MM = 1.5
"""The rim of a waisted body reaches at most this far beyond the walls that are seen between the endplates."""
END_SHARE = 0.2
"""The back and the front of a disc are the outer fifths of its depth: where a wall is missing, as at the thin end of a
wedge, its rim seen from above stands in."""
VOXELS_WITHIN = (0.1, 99.9)
"""Percentiles of a disc's voxels from side to side that its width holds: a speck is no flank."""
LARGEST_HOLLOW = 0.6
"""The back wall of a body bends inwards by at most this part of half its depth: the roots of the pedicles, where label
maps count them to the body, stand back by several millimetres."""


def fit_outline(
    region: Region,
    frame: Frame,
    lower: np.ndarray,
    upper: np.ndarray,
    *,
    straight: bool = False,
    whole: bool = True,
    centred: bool = False,
) -> Outline | None:
    """Fit the outline of a structure between points of its lower and of its upper surface.

    Parameters
    ----------
    region : Region
        The structure.
    frame : Frame
        Its axes; all lengths are mm along them.
    lower, upper : ndarray, shape (n, 3)
        Points of its surfaces.
    straight : bool
        Leave out how the outline changes with height, for flat structures.
    whole : bool
        All of the width was seen. Otherwise the ends of the slices are no flanks, the width is what is usual, and only
        back and front are fitted.
    centred : bool
        The middle is known to lie in the frame's mid-sagittal plane.

    Returns
    -------
    Outline or None
        None when too few points of the wall are left to close around the structure.
    """
    rims = _rim(lower, straight, -1), _rim(upper, straight, 1)
    points = _wall_points(region, frame, frame.anterior, rims)
    flanks = _wall_points(region, frame, frame.right, rims)
    seen = _silhouette(region, frame) if straight else points
    if straight and not _closes(points, seen):
        points = np.vstack([points, seen])
    if len(points) < MINIMUM_POINTS * 2:
        return None
    steps = np.abs(frame.axes[:2] @ region.grid.affine[:3, :3]).max(1)
    trust = FLANK_TRUST * min(1.0, steps[1] / steps[0])
    trust *= min(1.0, np.sqrt(len(points) / max(len(flanks), 1)))
    low, high = np.percentile(points[:, :2], (1, 99), axis=0)
    if (high - low).min() < 1.0:
        return None
    start = [*(high - low), *(low + high) / 2, EXPONENTS[1], 0.05]
    least = [*(high - low) * 0.8, *low, EXPONENTS[0], 0.0]
    most = [*(high - low) * 1.4 + 5, *high, EXPONENTS[2], LARGEST_HOLLOW]
    if not straight:
        start += [0.0, 0.0, 0.05, 0.05, 0.0]
        least += [-0.4, -0.4, -0.3, -0.3, -15.0]
        most += [0.4, 0.4, 0.4, 0.4, 15.0]
    if not whole:
        flanks = flanks[:0]
        start[0] = max(start[0], USUAL_ASPECT * start[1])
        least[0], most[0] = start[0] * 0.99, start[0] * 1.01
    if centred:
        start[2], least[2], most[2] = 0.0, -MIDDLE_MM, MIDDLE_MM
    weight = HOLD_MM * np.sqrt(len(points))

    def misfits(trials: np.ndarray) -> np.ndarray:
        outline: Any = Outline(*trials.T[..., None])  # one outline for each row of numbers
        held = np.zeros((len(trials), 3))
        held[:, :1] = np.log(outline.exponent / EXPONENTS[1]) / SPREAD[0]
        held[:, 1:2] = outline.width_taper / SPREAD[1]
        held[:, 2:] = (outline.width_waist - outline.depth_waist) / SPREAD[1]
        aside = trust * outline.distance_mm(flanks)
        return np.concatenate([outline.distance_mm(points), aside, weight * held], axis=1)

    found = robust_fit(misfits, start, (least, most), SCATTER_MM, x_scale="jac")
    aside = np.concatenate([points[:, 0], flanks[:, 0]])
    # a fit has the outline's first numbers, in their order
    fitted = Outline(*map(float, found))  # type: ignore[arg-type]
    outline = _within_reach(fitted, seen, float(np.ptp(aside) + steps[0]))
    if not (straight and whole):
        return outline
    ends = np.percentile(frame.to_local(region.points_mm)[:, 0], VOXELS_WITHIN)
    return replace(outline, narrowest_mm=float(np.ptp(ends)))


def usual_outline(back_mm: float, front_mm: float) -> Outline:
    """Return the outline of usual form between a back and a front: of a thin disc few slices show no more."""
    depth, middle = front_mm - back_mm, (back_mm + front_mm) / 2
    return Outline(USUAL_ASPECT * depth, depth, 0.0, middle, EXPONENTS[1], 0.0, assumed=True)


def _silhouette(region: Region, frame: Frame) -> np.ndarray:
    """Return the rim of a flat structure seen from above (n, 3): right mm, anterior mm, height 0.

    The rearmost and the foremost ends of columns from side to side, whichever way they face: the thin end of a
    wedged disc has no wall.
    """
    step = float(np.abs(frame.right @ region.grid.affine[:3, :3]).max())
    local = [frame.to_local(ends) for ends in region.ends(frame.anterior)]
    rims = []
    for points, sign in zip(local, (1, -1), strict=True):
        place = np.round(points[:, 0] / step).astype(int)
        order = np.lexsort((-sign * points[:, 1], place))
        first = np.concatenate([[True], np.diff(place[order]) > 0])
        rims.append(points[order[first]] * (1, 1, 0))
    return np.vstack(rims)


def _closes(walls: np.ndarray, rim: np.ndarray) -> bool:
    """Whether points of a wall are there at the back and at the front of a structure's `rim`."""
    if len(walls) < MINIMUM_POINTS * 2:
        return False
    low, high = rim[:, 1].min(), rim[:, 1].max()
    share = (walls[:, 1] - low) / max(high - low, 1e-6)
    return min((share < END_SHARE).sum(), (share > 1 - END_SHARE).sum()) >= MINIMUM_POINTS


def _within_reach(outline: Outline, walls: np.ndarray, widest_mm: float) -> Outline:
    """Return the outline held to what was seen: one slice wider at most, and little beyond back and front.

    `walls`: points (n, 3) where columns end within slices.
    """
    middle = np.abs(walls[:, 0] - outline.right_mm) < outline.width_mm / 4
    ends = walls[middle, 1] if middle.any() else walls[:, 1]
    low, high = np.percentile(ends, (0.5, 99.5))
    return replace(
        outline,
        widest_mm=widest_mm,
        back_mm=float(low - BEYOND_SEEN_MM),
        front_mm=float(high + BEYOND_SEEN_MM),
    )


def _rim(surface: np.ndarray, convex: bool, sign: int) -> np.ndarray:
    """Return the plane (constant, right, anterior) at the height of a surface's rim."""
    design = np.column_stack([np.ones(len(surface)), surface[:, :2]])
    plane = np.linalg.lstsq(design, surface[:, 2], rcond=None)[0]
    above = sign * (surface[:, 2] - design @ plane)
    plane[0] += sign * np.percentile(above, 100 * (1 - RIM_FRACTION if convex else RIM_FRACTION))
    return plane


def _wall_points(region: Region, frame: Frame, direction: np.ndarray, rims) -> np.ndarray:
    """Return points of the wall (n, 3): right mm, anterior mm, height from -1 to 1.

    They are the ends of columns of voxels along the axis that samples `direction` most finely. Ends in an
    endplate, or where the wall runs along the columns, are left out.
    """
    points = np.vstack(region.ends(direction))
    normals = region.outward_normals(points)
    wall = np.abs(normals @ frame.superior) < LARGEST_SLOPE
    if np.array_equal(direction, frame.right):
        wall &= np.abs(normals @ direction) > LARGEST_SLOPE
    local = frame.to_local(points[wall])
    design = np.column_stack([np.ones(len(local)), local[:, :2]])
    bottom, top = (design @ plane for plane in rims)
    local[:, 2] = (2 * local[:, 2] - top - bottom) / np.maximum(top - bottom, 0.5)
    local = local[np.abs(local[:, 2]) < WALL_HEIGHT_FRACTION]
    # sorted, so that the same points are kept whatever the storage order of the file
    local = local[np.lexsort(np.round(local, 3).T)]
    return local[np.random.default_rng(0).permutation(len(local))[:LARGEST_NUMBER_OF_POINTS]]
