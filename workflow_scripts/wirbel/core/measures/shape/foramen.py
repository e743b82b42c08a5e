"""Height of the intervertebral foramen: from the pedicle above to the pedicle below.

Lumbar spine only: there the foramen opens to the side, so that a sagittal slice cuts it across, and pedicles
are 8 to 16 mm wide. In the neck it opens forwards by 45 degrees, in the thorax a pedicle shows in one or two slices.
"""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import ARCUS, DISC_OFFSET, LEVEL_NAMES
from wirbel.core.measures import status as S
from wirbel.core.measures.frames import Frame, Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.solids import Solid

BEHIND_MM = (0.5, 8.0)
"""Where a pedicle is looked at: so far behind the body's back wall, before it becomes the lamina."""
LEAST_ASIDE_MM = 6.0
"""Nearer to the mid-sagittal plane than this there is no pedicle."""
TALL = 0.85
"""Slices in which the pedicle is at least this part as high as in the one where it is highest tell its height."""
FEWEST_COLUMNS = 4
LEAST_PEDICLE_MM = 6.0
"""Lumbar pedicles are 11 to 18 mm high (Zindrick et al., Spine 1987;12:160-166); what is labelled lower than this is
only the flank of one."""
SIDES = {"left": -1, "right": 1}
COLUMNS = ("foramen_height_left_mm", "foramen_height_right_mm")
STATUS_COLUMNS = ("foramen_left_status", "foramen_right_status")


def foramen_columns(maps: LabelMaps, solids: dict[int, Solid], label: int, below: int) -> dict:
    """Return the heights of both foramina beside a disc, each with a status.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    label, below : int
        The vertebrae above and below the disc.
    """
    fault = _fault(maps, solids, label, below)
    row: dict = {}
    for sign, column, status in zip(SIDES.values(), COLUMNS, STATUS_COLUMNS, strict=True):
        height, state = (None, fault) if fault else _height(maps, solids, (label, below), sign)
        row |= {column: height, status: state}
    return row


def _fault(maps: LabelMaps, solids: dict[int, Solid], label: int, below: int) -> str:
    """Return why neither foramen can be measured; empty where nothing stands against it."""
    if {LEVEL_NAMES[v][0] for v in (label, below)} != {"L"}:
        return S.NOT_DEFINED_AT_LEVEL
    disc, bodies = solids[DISC_OFFSET + label], [solids.get(v) for v in (label, below)]
    if disc.block is None:
        return disc.status
    if any(body is None or body.block is None for body in bodies):
        return S.NO_NEIGHBOUR
    return S.ABSENT if None in [maps.part(v, (ARCUS,)) for v in (label, below)] else ""


def _height(maps, solids, labels: tuple[int, int], side: int) -> tuple[float | None, str]:
    arches = [maps.part(label, (ARCUS,)) for label in labels]
    blocks = [solids[label].block for label in labels]
    edges = [
        pedicle_edge_mm(arch, block.frame, block.back_mm, side, way)
        for arch, block, way in zip(arches, blocks, (-1, 1), strict=True)
    ]
    upper, lower = edges
    if upper is None or lower is None:
        cut = any(arch.touches_border for arch in arches)
        return None, S.TOUCHES_BORDER if cut else S.SURFACE_INCOMPLETE
    up = solids[DISC_OFFSET + labels[0]].block.frame.superior
    return float((upper - lower) @ up), S.OK


def pedicle_edge_mm(
    arch: Region, frame: Frame, back_mm: float, side: int, way: int
) -> np.ndarray | None:
    """Return a world point on the upper or lower edge of a pedicle; None where it is not seen.

    Nor is it where the scan's last slice shows it highest: there may be more of it outside.

    Parameters
    ----------
    arch : Region
        The vertebra's arch.
    frame : Frame
        Axes of its body.
    back_mm : float
        Where the body's back wall lies, anterior mm of `frame`.
    side : int
        1 for the right pedicle, -1 for the left.
    way : int
        1 for the upper edge, -1 for the lower.
    """
    ends = arch.ends(frame.superior)
    upper, lower = (frame.to_local(points) for points in ends)
    behind = back_mm - (upper[:, 1] + lower[:, 1]) / 2
    aside = side * upper[:, 0]
    near = (behind > BEHIND_MM[0]) & (behind < BEHIND_MM[1]) & (aside > LEAST_ASIDE_MM)
    step = float(np.abs(frame.right @ arch.grid.affine[:3, :3]).max())
    slices = np.round(aside / step).astype(int)
    tall = (upper - lower)[:, 2]
    heights = {
        k: float(np.median(tall[near & (slices == k)]))
        for k in np.unique(slices[near])
        if (near & (slices == k)).sum() >= FEWEST_COLUMNS
    }
    best = max(heights.values(), default=0.0)
    if best < LEAST_PEDICLE_MM:
        return None
    near &= np.isin(slices, [k for k, height in heights.items() if height >= TALL * best])
    if arch.border_voxels(np.round(arch.grid.to_index(ends[0][near])).astype(int)).any():
        return None
    edge = np.median((upper if way > 0 else lower)[near], axis=0)
    return frame.to_world(edge)
