"""Angles and lengths of the whole spine, lying supine in the scanner.

Endplates are projected onto the sagittal and the coronal plane of the spine itself: right is the mean of all
bodies' right axes, superior the line from the lowest to the highest body at right angles to it. So it does not
matter how the person lies in the scanner or how the slices were laid.
"""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS, LEVEL_NAMES, LEVELS_TOP_DOWN, SACRUM
from wirbel.core.measures import status as S
from wirbel.core.measures.cord.centreline import Centreline
from wirbel.core.measures.coverage.contiguity import Contiguity
from wirbel.core.measures.curvature.coronal import cobb_columns
from wirbel.core.measures.frames import Frame
from wirbel.core.measures.shape.endplates import Endplate, angle_deg
from wirbel.core.measures.shape.joint import slope_columns
from wirbel.core.measures.shape.solids import Solid

FEWEST_BODIES = 2
USUALLY_LAST = ("T12", "L5")
CURVE_COLUMNS = {
    "cervical_lordosis": ("cervical_lordosis_deg", "cervical_lordosis_status"),
    "thoracic_kyphosis": ("thoracic_kyphosis_deg", "thoracic_kyphosis_status"),
    "lumbar_lordosis": ("lumbar_lordosis_deg", "lumbar_lordosis_status"),
    "lumbar_lordosis_s1": ("lumbar_lordosis_s1_deg", "lumbar_lordosis_s1_status"),
}
"""Curve -> the columns of its angle and of the status."""
CURVE_ENDS = {
    "cervical_lordosis": ("C2", "C7"),
    "thoracic_kyphosis": ("T4", "T12"),
    "lumbar_lordosis": ("L1", "L5"),
    "lumbar_lordosis_s1": ("L1", "L5"),
    "spine_length": ("C2", "L5"),
}
"""Curve -> the levels at its ends in most people."""


def mean_right(solids: dict[int, Solid]) -> np.ndarray | None:
    """Return the unit vector to the right of the bodies, of the discs where no body could be measured, or None."""
    blocks = {key: s.block for key, s in solids.items() if s.block is not None}
    bodies = [block for key, block in blocks.items() if key < DISC_OFFSET]
    found = [block.frame.right for block in bodies or blocks.values()]
    return np.mean(found, axis=0) / np.linalg.norm(np.mean(found, axis=0)) if found else None


def spine_frame(solids: dict[int, Solid]) -> Frame | None:
    """Return the axes of the spine in view; None with fewer than two measured bodies."""
    blocks = [s.block for key, s in solids.items() if s.block is not None and key < DISC_OFFSET]
    if len(blocks) < FEWEST_BODIES:
        return None
    right = mean_right(solids)
    assert right is not None  # there are bodies
    superior = blocks[0].frame.origin_mm - blocks[-1].frame.origin_mm
    superior = superior - (superior @ right) * right
    superior /= np.linalg.norm(superior)
    return Frame(blocks[-1].frame.origin_mm, np.stack([right, np.cross(superior, right), superior]))


def alignment_columns(
    solids: dict[int, Solid], line: Centreline | None, order: Contiguity | None = None
) -> dict:
    """Return the scan's angles, its largest coronal curve, and its length, each with a status.

    `order` tells which vertebrae follow each other; without it all that are there are taken to.
    """
    frame = spine_frame(solids)
    columns: dict = {}
    for name, (first, last, sign) in _curves(solids, order).items():
        angle = None
        if frame is not None and first is not None and last is not None:
            angle = sign * angle_deg(last.normal, first.normal, frame.right)
        status = _why_not(name, order) if angle is None else S.OK
        columns |= dict(zip(CURVE_COLUMNS[name], (angle, status), strict=True))
    columns |= slope_columns(solids, _sacral_plate(solids, order))
    return columns | cobb_columns(solids, frame, order) | _length_columns(solids, line, order)


def _why_not(name: str, order: Contiguity | None) -> str:
    """Return whether an end of a curve is missing from the middle of the map, or is out of view."""
    ends = CURVE_ENDS[name]
    missing = order is not None and any(
        LEVEL_LABELS[level] not in order.present and order.lies_between(LEVEL_LABELS[level])
        for level in ends
    )
    return S.VERTEBRA_MISSING if missing else S.NOT_IN_VIEW


def _curves(
    solids: dict[int, Solid], order: Contiguity | None
) -> dict[str, tuple[Endplate | None, Endplate | None, int]]:
    """Return curve -> (upper endplate, lower endplate, sign that makes the usual curve positive)."""
    thoracic, lumbar = _last(solids, "T", order), _last(solids, "L", order)
    return {
        "cervical_lordosis": (_plate(solids, "C2", -1), _plate(solids, "C7", -1), 1),
        "thoracic_kyphosis": (_plate(solids, "T4", 1), _plate(solids, thoracic, -1), -1),
        "lumbar_lordosis": (_plate(solids, "L1", 1), _plate(solids, lumbar, -1), 1),
        "lumbar_lordosis_s1": (_plate(solids, "L1", 1), _sacral_plate(solids, order), 1),
    }


def _last(solids: dict[int, Solid], region: str, order: Contiguity | None) -> str | None:
    """Return the last level of a region, when what follows it is in view as well.

    Of T12 and L5, the last ones of most people, the disc below is enough.
    """
    labels = [k for k in solids if k < DISC_OFFSET]
    mine = [k for k in labels if LEVEL_NAMES[k][0] == region]
    if not mine:
        return None
    last = mine[-1]
    followed = last != labels[-1] or (DISC_OFFSET + last in solids)
    if order is not None:
        usual = LEVEL_NAMES[last] in USUALLY_LAST and DISC_OFFSET + last in solids
        followed = order.is_followed(last) or usual
    return LEVEL_NAMES[last] if followed else None


def _plate(solids: dict[int, Solid], level: str | None, side: int) -> Endplate | None:
    """Return an endplate of a level; that of C2, which has no block of its own, is the disc's face."""
    if level is None:
        return None
    label = LEVEL_LABELS[level]
    key = DISC_OFFSET + label if level == "C2" else label
    return solids[key].endplate(-side if level == "C2" else side) if key in solids else None


def _sacral_plate(solids: dict[int, Solid], order: Contiguity | None) -> Endplate | None:
    """Return the upper endplate of the sacrum: the lower face of the disc that lies on it."""
    discs = [k for k in solids if k >= DISC_OFFSET]
    if not discs or LEVEL_NAMES[discs[-1] - DISC_OFFSET][0] != "L":
        return None
    last = discs[-1] - DISC_OFFSET
    if order is not None and not (order.below(last) == SACRUM and order.is_followed(last)):
        return None
    below = LEVELS_TOP_DOWN.index(discs[-1] - DISC_OFFSET) + 1
    following = LEVELS_TOP_DOWN[below:]
    return (
        None
        if any(v in solids for v in following if v != SACRUM)
        else solids[discs[-1]].endplate(-1)
    )


def _length_columns(
    solids: dict[int, Solid], line: Centreline | None, order: Contiguity | None
) -> dict:
    """Return the length of the canal's centreline from the disc below C2 to the disc on the sacrum."""
    top, bottom = solids.get(DISC_OFFSET + LEVEL_LABELS["C2"]), _sacral_plate(solids, order)
    if line is None or top is None or top.region is None or bottom is None:
        return {"spine_length_mm": None, "spine_length_status": _why_not("spine_length", order)}
    middle = (bottom.back_mm + bottom.front_mm) / 2
    ends = line.position(top.region.centroid_mm), line.position(middle)
    return {"spine_length_mm": line.length_mm(*ends), "spine_length_status": S.OK}
