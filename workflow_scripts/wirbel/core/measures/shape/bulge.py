"""How far a disc reaches back beyond the line between the corners of both endplates.

The line runs from the lower back corner of the vertebra above to the upper back corner of the one below (Fardon et al.,
Spine J 2014;14:2525-2545, call a disc bulging or herniated by what lies beyond the edges of the ring apophyses).
"""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import DISC_OFFSET
from wirbel.core.measures import status as S
from wirbel.core.measures.curvature.slips import facing_plates
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.solids import Solid
from wirbel.core.measures.shape.walls import OUTLIER_MM

SPAN = (0.15, 0.85)
"""The disc's back is looked at in this part of the line: nearer to its ends the corners decide."""
LEAST_LINE_MM = 1.5
"""A shorter line has no direction: then the endplates nearly touch."""
FACING_COSINE = 0.7
"""A point belongs to the disc's back when its normal is within 45 degrees of straight backwards."""
FEWEST_POINTS, FEWEST_FOR_PARABOLA = 6, 16
LEAST_SPREAD = 0.25
"""Points that cover less of the line than this tell nothing about the disc's back."""
STEPS = 29


def bulge_columns(maps: LabelMaps, solids: dict[int, Solid], label: int, below: int) -> dict:
    """Return `posterior_bulge_mm` of a disc, with its status.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    label, below : int
        The vertebra above the disc, and the vertebra or sacrum below it.
    """
    bulge, state = _bulge(maps, solids, label, below)
    return {"posterior_bulge_mm": bulge, "bulge_status": state}


def _bulge(maps, solids, label, below) -> tuple[float | None, str]:
    disc = solids[DISC_OFFSET + label]
    if disc.block is None:
        return None, disc.status
    above, under, state = facing_plates(maps, solids, label, below)
    if state != S.OK:
        return None, state
    assert above is not None and under is not None
    region, block, _ = disc.located()
    frame, slab = block.frame, block.slab_mm
    back, normals = region.ends(frame.anterior)[1], region.end_normals(frame.anterior)[1]
    back = back[normals @ frame.anterior < -FACING_COSINE]
    local = frame.to_local(back)
    near = np.abs(local[:, 0]) < slab
    corners = frame.to_local(np.array([plate.back_mm for plate in (above, under)]))
    bulge = beyond_line_mm(local[near], corners, slab)
    return bulge, S.OK if bulge is not None else S.SURFACE_INCOMPLETE


def beyond_line_mm(points: np.ndarray, corners: np.ndarray, slab_mm: float) -> float | None:
    """Return how far points (n, 3) of a disc's back lie behind the line between two corners (2, 3) at most.

    In mm of the disc's frame, seen from the side. The back is a smooth curve (a parabola along the line, level
    from side to side, weights falling off within `slab_mm`), so that no single voxel decides; of few points it is
    straight. None where the
    points do not reach along the line.
    """
    start, along = corners[0, 1:], corners[1, 1:] - corners[0, 1:]
    length = float(np.linalg.norm(along))
    if length < LEAST_LINE_MM:
        return None
    along = along / length
    backwards = np.array([along[1], -along[0]])
    backwards = backwards * -np.sign(backwards[0] or 1)
    offset = points[:, 1:] - start
    at, off = offset @ along / length, offset @ backwards
    inside = (at > SPAN[0]) & (at < SPAN[1])
    if inside.sum() < FEWEST_POINTS or np.ptp(at[inside]) < LEAST_SPREAD:
        return None
    weight = np.maximum(1 - (points[inside, 0] / slab_mm) ** 2, 0.05)
    curve = _fitted(at[inside], off[inside], weight)
    first, last = np.clip((at[inside].min(), at[inside].max()), *SPAN)
    along_line = np.linspace(first, last, STEPS)
    return float(np.polynomial.polynomial.polyval(along_line, curve).max())


def _fitted(at: np.ndarray, off: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the coefficients of a parabola (of few points, a line) through points, without outliers of a
    first fit."""
    for _ in range(2):
        degree = 2 if len(at) >= FEWEST_FOR_PARABOLA else 1
        curve = np.polynomial.polynomial.polyfit(at, off, degree, w=np.sqrt(weight))
        residual = np.abs(off - np.polynomial.polynomial.polyval(at, curve))
        kept = residual < max(2 * OUTLIER_MM, 3 * float(np.median(residual)))
        at, off, weight = at[kept], off[kept], weight[kept]
    return curve
