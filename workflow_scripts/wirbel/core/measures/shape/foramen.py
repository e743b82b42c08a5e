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
from wirbel.core.measures.solids import Solid

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
COLUMNS = tuple(f"foramen_height_{side}_mm" for side in SIDES)


def foramen_columns(maps: LabelMaps, solids: dict[int, Solid], label: int, below: int) -> dict:
    """Return the heights of both foramina beside the disc below vertebra `label`, with a status."""
    if {LEVEL_NAMES[v][0] for v in (label, below)} != {"L"}:
        return dict.fromkeys(COLUMNS) | {"foramen_status": S.NOT_DEFINED_AT_LEVEL}
    disc, bodies = solids[DISC_OFFSET + label], [solids.get(v) for v in (label, below)]
    if disc.block is None:
        return dict.fromkeys(COLUMNS) | {"foramen_status": disc.status}
    if any(body is None or body.block is None for body in bodies):
        return dict.fromkeys(COLUMNS) | {"foramen_status": S.NO_NEIGHBOUR}
    arches = [maps.part(v, (ARCUS,)) for v in (label, below)]
    if None in arches:
        return dict.fromkeys(COLUMNS) | {"foramen_status": S.ABSENT}
    if any(arch.touches_border for arch in arches):
        return dict.fromkeys(COLUMNS) | {"foramen_status": S.TOUCHES_BORDER}
    up = disc.block.frame.superior
    heights = []
    for side in SIDES.values():
        edges = [
            pedicle_edge_mm(arch, body.block.frame, body.block.back_mm, side, way)
            for arch, body, way in zip(arches, bodies, (-1, 1), strict=True)
        ]
        found = all(edge is not None for edge in edges)
        heights.append(float((edges[0] - edges[1]) @ up) if found else None)
    state = S.SURFACE_INCOMPLETE if None in heights else S.OK
    return dict(zip(COLUMNS, heights, strict=True)) | {"foramen_status": state}


def pedicle_edge_mm(
    arch: Region, frame: Frame, back_mm: float, side: int, way: int
) -> np.ndarray | None:
    """Return a world point on the upper (`way` 1) or lower (-1) edge of a pedicle; None where it is not seen.

    `frame` and `back_mm` are those of the body; `side` is 1 on its right.
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
    edge = np.median((upper if way > 0 else lower)[near], axis=0)
    return frame.origin_mm + edge @ frame.axes
