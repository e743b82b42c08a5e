"""One row per vertebra; keys are the columns declared in `wirbel.core.dictionary.vertebrae`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wirbel.core.labels import (
    ARCUS,
    COSTAL_LEFT,
    COSTAL_RIGHT,
    INFERIOR_ARTICULAR_LEFT,
    INFERIOR_ARTICULAR_RIGHT,
    LEVEL_NAMES,
    LEVEL_ORDER,
    SPINOUS_PROCESS,
    SUPERIOR_ARTICULAR_LEFT,
    SUPERIOR_ARTICULAR_RIGHT,
)
from wirbel.core.measures import status as S
from wirbel.core.measures.coverage.presence import BODY_CENTROID, centroid_columns, presence
from wirbel.core.measures.fractures.grades import fracture_columns
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.cross_section import area_columns
from wirbel.core.measures.shape.endplates import angle_deg
from wirbel.core.measures.shape.rims import concavity_mm, corner_height_mm
from wirbel.core.measures.shape.solids import Solid
from wirbel.core.measures.shape.surfaces import Block, SurfaceError
from wirbel.core.measures.shape.widths import also_seen, width_state
from wirbel.core.measures.volumes import surface_volume_mm3

SIX_POINT_FRACTIONS = {"posterior": 0.15, "middle": 0.50, "anterior": 0.85}
"""Depth, 0 at the back and 1 at the front, at which heights are measured: the six-point morphometry of
Black et al., J Bone Miner Res 1991;6:883, set in from the rims so that osteophytes do not count."""
SIZE_HEIGHTS = {"upper": 1, "middle": 0, "lower": -1}
"""Height, 1 at the upper and -1 at the lower endplate, at which depth and width are measured."""
CONCAVITY_COLUMNS = ("concavity_upper_mm", "concavity_lower_mm")
CORNER_COLUMNS = ("corner_height_anterior_mm", "corner_height_posterior_mm")
HEIGHT_COLUMNS = ("height_posterior_mm", "height_middle_mm", "height_anterior_mm")
"""The columns of the heights at `SIX_POINT_FRACTIONS`, in their order."""
DEPTH_COLUMNS = ("depth_upper_mm", "depth_middle_mm", "depth_lower_mm")
WIDTH_COLUMNS = ("width_upper_mm", "width_middle_mm", "width_lower_mm")
"""The columns of the sizes at `SIZE_HEIGHTS`, in their order."""
PART_COLUMNS = {
    ARCUS: "arcus_vertebrae_volume_mm3",
    SPINOUS_PROCESS: "spinous_process_volume_mm3",
    COSTAL_LEFT: "costal_process_left_volume_mm3",
    COSTAL_RIGHT: "costal_process_right_volume_mm3",
    SUPERIOR_ARTICULAR_LEFT: "superior_articular_process_left_volume_mm3",
    SUPERIOR_ARTICULAR_RIGHT: "superior_articular_process_right_volume_mm3",
    INFERIOR_ARTICULAR_LEFT: "inferior_articular_process_left_volume_mm3",
    INFERIOR_ARTICULAR_RIGHT: "inferior_articular_process_right_volume_mm3",
}
"""Posterior element -> the column of its volume."""


def vertebra_rows(maps: LabelMaps, solids: dict[int, Solid]) -> list[dict]:
    """Measure every vertebra: volumes, position, size and shape of its body."""
    rows = [_vertebra_row(maps, solids[label], label) for label in maps.vertebrae]
    return [row | more for row, more in zip(rows, fracture_columns(rows), strict=True)]


def _vertebra_row(maps: LabelMaps, solid: Solid, label: int) -> dict:
    body, whole = maps.body(label), maps.whole(label)
    row: dict[str, Any] = {"label": label, "level": LEVEL_NAMES[label]}
    row["level_order"] = LEVEL_ORDER[label]
    row |= centroid_columns(whole) | centroid_columns(body, BODY_CENTROID)
    row |= _volume_columns(maps, body, whole, label)
    row["body_surface_volume_mm3"] = surface_volume_mm3(body, solid) if body else None
    row |= {"body_status": presence(body), "vertebra_status": presence(maps.everything(label))}
    for name in ("body_status", "vertebra_status"):
        row[name] = also_seen(row[name], solid)
    row |= _shape_columns(solid) | _width_columns(solid)
    return row | area_columns(solid, row["width_status"])


def _volume_columns(
    maps: LabelMaps, body: Region | None, whole: Region | None, label: int
) -> dict[str, float | None]:
    """Count voxels. Of a part that is not there 0 is only known when the whole vertebra is in view."""
    volumes = {
        "vertebra_volume_mm3": whole.volume_mm3 if whole else None,
        "body_volume_mm3": body.volume_mm3 if body else None,
    }
    everything = maps.everything(label)
    nothing = None if everything is None or everything.touches_border else 0.0
    for subregion, column in PART_COLUMNS.items():
        part = maps.part(label, (subregion,))
        volumes[column] = part.volume_mm3 if part else nothing
    return volumes


def _shape_columns(solid: Solid) -> dict:
    """Heights, depths and angles between the endplates: what the mid-sagittal plane shows."""
    names = (*HEIGHT_COLUMNS, *CORNER_COLUMNS, *CONCAVITY_COLUMNS, *DEPTH_COLUMNS)
    empty = dict.fromkeys((*names, "wedge_angle_deg"))
    if solid.block is None:
        return empty | {"height_status": solid.status}
    try:
        fractions = zip(HEIGHT_COLUMNS, SIX_POINT_FRACTIONS.values(), strict=True)
        heights = {name: solid.block.height_at(fraction) for name, fraction in fractions}
        heights |= _of_both_sides(CORNER_COLUMNS, corner_height_mm, solid.block)
        heights |= _of_both_sides(CONCAVITY_COLUMNS, concavity_mm, solid.block)
    except SurfaceError:
        return empty | {"height_status": S.SURFACE_INCOMPLETE}
    upper, lower = solid.endplate(1), solid.endplate(-1)
    if solid.outline is None or upper is None or lower is None:
        return empty | {"height_status": S.SURFACE_INCOMPLETE}
    return {
        **heights,
        **dict(zip(DEPTH_COLUMNS, map(solid.outline.depth_at, SIZE_HEIGHTS.values()), strict=True)),
        "wedge_angle_deg": angle_deg(lower.normal, upper.normal, solid.block.frame.right),
        "height_status": solid.shape_status,
    }


def _of_both_sides(
    names: tuple[str, str], measured: Callable[[Block, int], float], block: Block
) -> dict[str, float]:
    """Return the columns of what is measured at the first side (1) and at the other (-1)."""
    return {name: measured(block, side) for name, side in zip(names, (1, -1), strict=True)}


def _width_columns(solid: Solid) -> dict:
    """Widths, and the coronal angle: what a few slices do not tell. A flank that the border cuts leaves the angle."""
    empty = dict.fromkeys(WIDTH_COLUMNS)
    upper, lower = solid.endplate(1), solid.endplate(-1)
    if solid.block is None or solid.outline is None or upper is None or lower is None:
        status = solid.status if solid.block is None else S.SURFACE_INCOMPLETE
        return empty | {"coronal_wedge_angle_deg": None, "width_status": status}
    angle = angle_deg(lower.normal, upper.normal, solid.block.frame.anterior)
    found: dict[str, Any] = {
        "coronal_wedge_angle_deg": None if solid.width_status == S.PARTLY_SEEN else angle,
        "width_status": width_state(solid),
    }
    if not solid.whole_width:
        return empty | found
    widths = map(solid.outline.width_at, SIZE_HEIGHTS.values())
    return found | dict(zip(WIDTH_COLUMNS, widths, strict=True))
