"""One row per disc; keys are the columns declared in `wirbel.core.dictionary.discs`."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import DISC_OFFSET, LEVEL_ORDER, SACRUM, disc_name
from wirbel.core.measures import status as S
from wirbel.core.measures.coverage.contiguity import Contiguity
from wirbel.core.measures.coverage.presence import centroid_columns, presence
from wirbel.core.measures.curvature.slips import slip_row
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.bulge import bulge_columns
from wirbel.core.measures.shape.endplates import Endplate, angle_deg
from wirbel.core.measures.shape.foramen import foramen_columns
from wirbel.core.measures.shape.joint import segment_columns
from wirbel.core.measures.shape.solids import Solid
from wirbel.core.measures.shape.surfaces import Block, SurfaceError
from wirbel.core.measures.shape.widths import also_seen, width_state
from wirbel.core.measures.vertebrae import SIX_POINT_FRACTIONS
from wirbel.core.measures.volumes import surface_volume_mm3

DISC_CENTRAL_DEPTH = (0.25, 0.75)
"""The mean disc height is taken over the middle half of the depth, clear of bulging rims."""
HEIGHT_COLUMNS = ("disc_height_posterior_mm", "disc_height_middle_mm", "disc_height_anterior_mm")
"""The columns of the heights at `SIX_POINT_FRACTIONS`, in their order."""
AREA_FRACTIONS = np.clip((np.arange(19) + 0.5) / 19, 0.08, 0.92)
"""Where the heights are taken that the mid-sagittal area is the mean of, times the depth; at the very rim
nothing but a bulge is left, so the outermost heights count twice."""


def disc_rows(
    maps: LabelMaps, solids: dict[int, Solid], vertebrae: list[dict], order: Contiguity
) -> list[dict]:
    """Measure every disc: volume, position, size, and what it is between its two vertebrae.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    vertebrae : list of dict
        Rows of the vertebrae.
    order : Contiguity
        Which vertebrae follow each other.
    """
    by_label = {row["label"]: row for row in vertebrae}
    return [_disc_row(maps, solids, by_label, label, order.below(label)) for label in maps.discs]


def _disc_row(maps, solids: dict[int, Solid], vertebrae: dict, label: int, below: int) -> dict:
    whole, solid = maps.disc(label), solids[DISC_OFFSET + label]
    row = {"label_above": label, "level": disc_name(label, below), **centroid_columns(whole)}
    row["level_order"] = LEVEL_ORDER[label]
    row["disc_volume_mm3"] = whole.volume_mm3
    row["disc_surface_volume_mm3"] = surface_volume_mm3(whole, solid)
    row["disc_status"] = also_seen(presence(whole), solid)
    row |= _height_columns(solid) | _width_columns(solid)
    neighbours = [vertebrae[v] for v in (label, below) if v in vertebrae]
    row |= index_columns(row, neighbours) | slip_row(maps, solids, label, below)
    lower = solid.endplate(-1) if below == SACRUM else _lower_plate(solids.get(below))
    row |= bulge_columns(maps, solids, label, below) | foramen_columns(maps, solids, label, below)
    return row | segment_columns(solids, label, below, lower)


def _lower_plate(body: Solid | None) -> Endplate | None:
    return None if body is None else body.endplate(-1)


def _height_columns(solid: Solid) -> dict:
    empty = dict.fromkeys(("disc_height_mm", *HEIGHT_COLUMNS))
    empty |= dict.fromkeys(("disc_depth_mm", "disc_area_mm2", "disc_wedge_angle_deg"))
    block = solid.block
    if block is None:
        return empty | {"disc_height_status": solid.status}
    upper, lower, outline = solid.endplate(1), solid.endplate(-1), solid.outline
    if upper is None or lower is None or outline is None:
        return empty | {"disc_height_status": S.SURFACE_INCOMPLETE}
    try:
        columns = {"disc_height_mm": block.mean_height(*DISC_CENTRAL_DEPTH)}
        for name, fraction in zip(HEIGHT_COLUMNS, SIX_POINT_FRACTIONS.values(), strict=True):
            columns[name] = block.height_at(fraction)
        mean_height = np.mean([_height_near(block, f) for f in AREA_FRACTIONS])
    except SurfaceError:
        return empty | {"disc_height_status": S.SURFACE_INCOMPLETE}
    depth = outline.depth_at(0)
    columns |= {"disc_depth_mm": depth, "disc_area_mm2": float(mean_height) * depth}
    angle = angle_deg(lower.normal, upper.normal, block.frame.right)
    return columns | {"disc_wedge_angle_deg": angle, "disc_height_status": solid.shape_status}


def _height_near(block: Block, fraction: float) -> float:
    """Return the height at a fraction of the depth; beside a rim that few slices show, the one further in."""
    try:
        return block.height_at(fraction)
    except SurfaceError:
        inner = SIX_POINT_FRACTIONS["posterior"], SIX_POINT_FRACTIONS["anterior"]
        return block.height_at(float(np.clip(fraction, *inner)))


def _width_columns(solid: Solid) -> dict:
    if solid.outline is None or solid.whole_width and solid.outline.assumed:
        status = solid.status if solid.block is None else S.SURFACE_INCOMPLETE
        return {"disc_width_mm": None, "disc_width_status": status}
    if not solid.whole_width:
        return {"disc_width_mm": None, "disc_width_status": solid.width_status}
    return {"disc_width_mm": solid.outline.width_at(0), "disc_width_status": width_state(solid)}


def index_columns(row: dict, neighbours: list[dict]) -> dict:
    """Return the disc height index and the disc area index (DAIL) from the rows of disc and vertebrae."""
    empty = dict.fromkeys(("disc_height_index", "disc_area_index"))
    if row["disc_height_mm"] is None:
        return empty | {"disc_index_status": row["disc_height_status"]}
    measured = [n for n in neighbours if n["height_middle_mm"]]
    if not measured:
        return empty | {"disc_index_status": S.NO_NEIGHBOUR}
    height = np.mean([n["height_middle_mm"] for n in measured])
    square = np.mean([n["depth_middle_mm"] ** 2 for n in measured])
    return {
        "disc_height_index": float(row["disc_height_mm"] / height),
        "disc_area_index": float(row["disc_area_mm2"] / square),
        "disc_index_status": S.OK,
    }
