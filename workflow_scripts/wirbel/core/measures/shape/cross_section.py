"""The cross-section of a vertebral body half-way between its endplates."""

from __future__ import annotations

import numpy as np

from wirbel.core.measures import status as S
from wirbel.core.measures.curvature.outline import Outline
from wirbel.core.measures.frames import voxels_between
from wirbel.core.measures.shape.solids import Solid

SLAB_MM = 2.5
"""Half-thickness of the slab whose voxels are counted."""
GIVEN = (S.OK, S.FORM_ASSUMED)
FINE_MM = 0.25
LARGEST_CORRECTION = 0.1
"""Where the voxels differ more than this from the outline, the outline does not describe the body."""


def area_columns(solid: Solid, width_status: str) -> dict:
    """Return `body_area_mm2`; it is there where the widths are, whose `width_status` goes for it as well."""
    area = body_area_mm2(solid) if width_status in GIVEN else None
    incomplete = area is None and width_status in GIVEN
    state = S.SURFACE_INCOMPLETE if incomplete else width_status
    return {"body_area_mm2": area, "body_area_status": state}


def body_area_mm2(solid: Solid) -> float | None:
    """Return the area in mm2 at right angles to the superior axis; None where outline and voxels disagree.

    The area inside the fitted outline at half height, times the body's voxels in a slab of 5 mm there over the
    number of those inside the outline: the voxels decide the size, the outline how much a voxel of this grid
    stands for.
    """
    region, block, _ = solid.located()
    outline = solid.outline
    assert outline is not None  # there is a width
    top, bottom = (float(np.median(s[:, 2])) for s in (block.upper, block.lower))
    middle, half = (top + bottom) / 2, (top - bottom) / 2
    reach = min(SLAB_MM, half / 2)
    ends = (-np.inf, -np.inf, middle - reach), (np.inf, np.inf, middle + reach)
    index = voxels_between(region, block.frame, *ends, beyond=1)
    local = block.frame.to_local(region.grid.to_world(index))
    slab = np.abs(local[:, 2] - middle) < reach
    index, local = index[slab], local[slab]
    heights = (local[:, 2] - middle) / half
    inside = int(outline.holds(np.column_stack([local[:, :2], heights])).sum())
    if not inside:
        return None
    share = np.pad(region.mask, 1)[tuple(index.T + 1)].sum() / inside
    if abs(share - 1) > LARGEST_CORRECTION:
        return None
    return outline_area_mm2(outline) * float(share)


def outline_area_mm2(outline: Outline) -> float:
    """Return the area inside an outline half-way up."""
    half = 0.75 * np.array([outline.width_mm, outline.depth_mm]) + 1
    sides = (np.arange(-h, h, FINE_MM) + c for h, c in zip(half, outline.middle_mm, strict=True))
    points = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    inside = outline.holds(np.column_stack([points, np.zeros(len(points))]))
    return float(inside.sum()) * FINE_MM**2
