"""How far a vertebra has slipped on the one below."""

from __future__ import annotations

from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS, SACRUM
from wirbel.core.measures import status as S
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.corners import corners_beside
from wirbel.core.measures.shape.endplates import Endplate
from wirbel.core.measures.shape.solids import Solid

MEYERDING_LIMITS = (5.0, 25.0, 50.0, 75.0, 100.0)
"""Slip in percent of the endplate's depth at which grades 1 to 5 begin. The quarters are Meyerding's (Surg
Gynecol Obstet 1932;54:371); less than 5 % is no slip (Denard et al., Spine 2010;35:1072)."""
COLUMNS = ("slip_mm", "slip_percent", "meyerding_grade")
WITHOUT_BLOCK = (LEVEL_LABELS["C2"], SACRUM)
"""Bones with one endplate: its corners are looked for beside the disc."""


def slip_row(maps: LabelMaps, solids: dict[int, Solid], label: int, below: int) -> dict:
    """Return the slip of a vertebra on the one below it, with its status.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    label, below : int
        The vertebra, and the vertebra or sacrum below its disc.
    """
    above, under, state = facing_plates(maps, solids, label, below)
    if above is None or under is None:
        return dict.fromkeys(COLUMNS) | {"slip_status": state}
    return slip_columns(above, under) | {"slip_status": S.OK}


def facing_plates(
    maps: LabelMaps, solids: dict[int, Solid], label: int, below: int
) -> tuple[Endplate | None, Endplate | None, str]:
    """Return both endplates that face a disc, and a status code: ok where both are there.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    label, below : int
        The vertebra above the disc, and the vertebra or sacrum below it.
    """
    disc = solids[DISC_OFFSET + label]
    above, why = _plate(maps, solids, disc, label, -1)
    under, why_not = _plate(maps, solids, disc, below, 1)
    return above, under, why if above is None else why_not


def slip_columns(above: Endplate, below: Endplate) -> dict:
    """Return the slip of the lower endplate `above` on the upper endplate `below`.

    It is the distance along the endplate below between both back corners, forward positive.
    """
    slip = float((above.back_mm - below.back_mm) @ below.forward)
    percent = 100 * slip / below.depth_mm
    grade = sum(abs(percent) >= limit for limit in MEYERDING_LIMITS)
    return {"slip_mm": slip, "slip_percent": percent, "meyerding_grade": grade}


def _plate(maps, solids, disc: Solid, label: int, side: int) -> tuple[Endplate | None, str]:
    """Return the upper (1) or lower (-1) endplate of a vertebra next to a disc, and a status code."""
    if label in WITHOUT_BLOCK:
        return _beside(maps, disc, label, side)
    solid = solids.get(label)
    if solid is None:
        return None, S.NO_NEIGHBOUR
    if solid.block is None:
        return None, solid.status
    plate = solid.endplate(side)
    return plate, S.OK if plate else S.SURFACE_INCOMPLETE


def _beside(maps, disc: Solid, label: int, side: int) -> tuple[Endplate | None, str]:
    if disc.block is None:
        return None, disc.status
    face = disc.endplate(-side)
    if face is None:
        return None, S.SURFACE_INCOMPLETE
    bone = maps.structure(SACRUM) if label == SACRUM else maps.body(label)
    if bone is None:
        return None, S.NO_NEIGHBOUR
    right, slab = disc.block.frame.right, disc.block.slab_mm
    return corners_beside(face, bone, maps.canal_points_mm, right, slab, -side)
