"""Whether slices show all of a structure's width: a disc in two slices is no narrow disc."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wirbel.core.labels import DISC_OFFSET, LEVELS_TOP_DOWN
from wirbel.core.measures import status as S
from wirbel.core.measures.shape.surfaces import find_block

if TYPE_CHECKING:
    from wirbel.core.measures.shape.solids import Solid

LEAST_ASPECT = 0.7
"""Least width over depth of a body or disc: means are 1.09 (T8) to 1.5 (L5) (Panjabi et al., Spine 1991;16:888), and
thick slices show up to a tenth less."""
LEAST_OF_OTHERS = 0.75
"""Least width over depth beside the median of the structures next to it."""
RECTANGULAR, ENOUGH_SLICES = 3.0, 8
"""Bodies and discs have outlines with exponents of 2 to 3; where fewer slices make one more rectangular, they did not
show enough of its flanks, as beside uncinate processes, and its width may be off by a slice."""
FEWEST_SLICES = 5
"""Where fewer slices fit into a width, what the fit adds beyond them is as large as the limit of a width's error."""
NEAR_MIDDLE = 0.1
"""Over the depth, how far the outermost slice may lie from the mid-sagittal plane for its heights to be those there: a
tenth of the width or less, over which endplates change their height by 2 %."""
NEXT = 3
"""So many structures above, and below, are looked at."""


def check_widths(solids: dict[int, Solid]) -> dict[int, Solid]:
    """Return the solids with a `partly_seen` status where slices show only part of the width."""
    keys = sorted(
        (k for k, s in solids.items() if s.block is not None and s.whole_width), key=_place
    )
    near_by = [_near(at, len(keys)) for at in range(len(keys))]
    rights = np.array([solids[k].located()[1].frame.right for k in keys]).reshape(-1, 3)
    aspect = np.array(
        [
            _aspect(solids[key], rights[near].mean(0) if len(near) > 1 else rights[at])
            for at, (key, near) in enumerate(zip(keys, near_by, strict=True))
        ]
    )
    asides = [_aside_mm(solids[k]) for k in keys]
    middles = np.array([aside.mean() for aside in asides])
    found = dict(solids)
    for k, key in enumerate(keys):
        near = near_by[k]
        others = len(near) > 1
        usual = np.median(aspect[near]) if others else 0.0
        if aspect[k] >= max(LEAST_ASPECT, LEAST_OF_OTHERS * usual):
            continue
        middle = np.median(middles[near]) if others else 0.0
        found[key] = replace(solids[key], width_status=S.PARTLY_SEEN)
        reach = NEAR_MIDDLE * solids[key].located()[1].depth_mm
        if not asides[k].min() - reach <= middle <= asides[k].max() + reach:
            found[key] = replace(found[key], block=None, status=S.PARTLY_SEEN)
        elif others:
            found[key] = _moved(found[key], middle - middles[k])
    return found


def _moved(solid: Solid, aside_mm: float) -> Solid:
    """Return a solid whose mid-sagittal plane lies so far to the side of its centroid: where its neighbours have it."""
    region, block, canal_mm = solid.located()
    centre = region.centroid_mm + aside_mm * _across(solid)
    try:
        block = find_block(
            region, block.frame.superior, canal_mm, flat=solid.flat, centre_mm=centre
        )
    except ValueError:
        return replace(solid, block=None, status=S.SURFACE_INCOMPLETE)
    return replace(solid, block=block)


def partly_seen(solids: dict[int, Solid]) -> set[int]:
    """Return the keys of the solids that slices show only in part, or too badly to tell."""
    partly = {S.PARTLY_SEEN, S.SURFACE_INCOMPLETE}
    return {key for key, s in solids.items() if partly & {s.status, s.width_status}}


def width_state(solid: Solid) -> str:
    """Return the status of the width of a solid with an outline: whether its slices tell it."""
    if solid.width_status != S.OK:
        return solid.width_status
    region, block, _ = solid.located()
    outline = solid.outline
    assert outline is not None  # the caller's part of the bargain
    right = block.frame.right
    step = float(np.abs(right @ region.grid.affine[:3, :3]).max())
    if outline.width_at(0) < FEWEST_SLICES * step:
        return S.FORM_ASSUMED
    slices = round(float(np.ptp(region.points_mm @ right)) / step) + 1
    rectangular = outline.exponent >= RECTANGULAR
    return S.FORM_ASSUMED if rectangular and slices < ENOUGH_SLICES else S.OK


def also_seen(state: str, solid: Solid) -> str:
    """Return a structure's status, or that slices show only part of it."""
    partly = S.PARTLY_SEEN in (solid.status, solid.width_status)
    return S.PARTLY_SEEN if state == S.OK and partly else state


def _place(key: int) -> float:
    return LEVELS_TOP_DOWN.index(key % DISC_OFFSET) + 0.5 * (key >= DISC_OFFSET)


def _near(at: int, number: int) -> list[int]:
    """Return the places of the structures next to one of so many, above and below."""
    return [*range(max(at - NEXT, 0), at), *range(at + 1, min(at + NEXT + 1, number))]


def _aspect(solid: Solid, right: np.ndarray) -> float:
    """Return the extent of all slices that show the structure over its extent from back to front.

    `right`: that of the structures next to it, since one seen on one side alone looks turned.
    """
    region, block, _ = solid.located()
    frame, points = block.frame, region.points_mm
    right = right - (right @ frame.superior) * frame.superior
    right /= np.linalg.norm(right)
    step = float(np.abs(right @ region.grid.affine[:3, :3]).max())
    deep = float(np.ptp(points @ np.cross(frame.superior, right)))
    return (float(np.ptp(points @ right)) + step) / max(deep, 1.0)


def _aside_mm(solid: Solid) -> np.ndarray:
    """Return how far to the side of the canal's centre the structure's voxels lie, across the slices."""
    region, _, canal_mm = solid.located()
    return (region.points_mm - canal_mm) @ _across(solid)


def _across(solid: Solid) -> np.ndarray:
    """Return the unit vector across the slices, to the right."""
    region, block, _ = solid.located()
    axes = region.grid.affine[:3, :3] / region.grid.spacing_mm
    cosine = block.frame.right @ axes
    return axes[:, np.abs(cosine).argmax()] * np.sign(cosine[np.abs(cosine).argmax()])
