"""One row per vertebra; keys are the columns declared in `wirbel.core.dictionary.vertebrae`."""

from __future__ import annotations

from wirbel.core.labels import LEVEL_NAMES, LEVEL_ORDER, POSTERIOR_ELEMENTS, SUBREGION_NAMES
from wirbel.core.measures import status as S
from wirbel.core.measures.coverage.presence import centroid_columns, presence
from wirbel.core.measures.fractures.grades import fracture_columns
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.cross_section import area_columns
from wirbel.core.measures.shape.endplates import angle_deg
from wirbel.core.measures.shape.rims import concavity_mm, corner_height_mm
from wirbel.core.measures.shape.solids import Solid
from wirbel.core.measures.shape.surfaces import SurfaceError
from wirbel.core.measures.shape.widths import also_seen, width_state
from wirbel.core.measures.volumes import surface_volume_mm3

SIX_POINT_FRACTIONS = {"posterior": 0.15, "middle": 0.50, "anterior": 0.85}
"""Depth, 0 at the back and 1 at the front, at which heights are measured: the six-point morphometry of
Black et al., J Bone Miner Res 1991;6:883, set in from the rims so that osteophytes do not count."""
SIZE_HEIGHTS = {"upper": 1, "middle": 0, "lower": -1}
"""Height, 1 at the upper and -1 at the lower endplate, at which depth and width are measured."""
CONCAVITY_COLUMNS = ("concavity_upper_mm", "concavity_lower_mm")
CORNER_COLUMNS = ("corner_height_anterior_mm", "corner_height_posterior_mm")
HEIGHT_COLUMNS = tuple(f"height_{name}_mm" for name in SIX_POINT_FRACTIONS)


def vertebra_rows(maps: LabelMaps, solids: dict[int, Solid]) -> list[dict]:
    """Measure every vertebra: volumes, position, size and shape of its body."""
    rows = [_vertebra_row(maps, solids[label], label) for label in maps.vertebrae]
    return [row | more for row, more in zip(rows, fracture_columns(rows), strict=True)]


def _vertebra_row(maps: LabelMaps, solid: Solid, label: int) -> dict:
    body, whole = maps.body(label), maps.whole(label)
    row = {"label": label, "level": LEVEL_NAMES[label], "level_order": LEVEL_ORDER[label]}
    row |= centroid_columns(whole) | centroid_columns(body, "body_")
    row |= _volume_columns(maps, body, whole, label)
    row["body_surface_volume_mm3"] = surface_volume_mm3(body, solid) if body else None
    row |= {"body_status": presence(body), "vertebra_status": presence(maps.everything(label))}
    for name in ("body_status", "vertebra_status"):
        row[name] = also_seen(row[name], solid)
    row |= _shape_columns(solid) | _width_columns(solid)
    return row | area_columns(solid, row["width_status"])


def _volume_columns(maps: LabelMaps, body: Region | None, whole: Region, label: int) -> dict:
    """Count voxels. Of a part that is not there 0 is only known when the whole vertebra is in view."""
    volumes = {"vertebra_volume_mm3": whole.volume_mm3}
    volumes["body_volume_mm3"] = body.volume_mm3 if body else None
    nothing = None if maps.everything(label).touches_border else 0.0
    for subregion in POSTERIOR_ELEMENTS:
        part = maps.part(label, (subregion,))
        volumes[f"{SUBREGION_NAMES[subregion]}_volume_mm3"] = part.volume_mm3 if part else nothing
    return volumes


def _shape_columns(solid: Solid) -> dict:
    """Heights, depths and angles between the endplates: what the mid-sagittal plane shows."""
    names = (
        *HEIGHT_COLUMNS,
        *CORNER_COLUMNS,
        *CONCAVITY_COLUMNS,
        *(f"depth_{name}_mm" for name in SIZE_HEIGHTS),
    )
    empty = dict.fromkeys((*names, "wedge_angle_deg"))
    if solid.block is None:
        return empty | {"height_status": solid.status}
    try:
        heights = {
            f"height_{n}_mm": solid.block.height_at(f) for n, f in SIX_POINT_FRACTIONS.items()
        }
        for names, of in (
            (CORNER_COLUMNS, corner_height_mm),
            (CONCAVITY_COLUMNS, concavity_mm),
        ):
            sides = zip(names, (1, -1), strict=True)
            heights |= {name: of(solid.block, side) for name, side in sides}
    except SurfaceError:
        return empty | {"height_status": S.SURFACE_INCOMPLETE}
    upper, lower = solid.endplate(1), solid.endplate(-1)
    if solid.outline is None or upper is None or lower is None:
        return empty | {"height_status": S.SURFACE_INCOMPLETE}
    return {
        **heights,
        **{f"depth_{n}_mm": solid.outline.depth_at(h) for n, h in SIZE_HEIGHTS.items()},
        "wedge_angle_deg": angle_deg(lower.normal, upper.normal, solid.block.frame.right),
        "height_status": S.OK,
    }


def _width_columns(solid: Solid) -> dict:
    """Widths, and the coronal angle: what a few slices do not tell. A flank that the border cuts leaves the angle."""
    empty = dict.fromkeys([f"width_{name}_mm" for name in SIZE_HEIGHTS])
    upper, lower = solid.endplate(1), solid.endplate(-1)
    if solid.outline is None or upper is None or lower is None:
        status = solid.status if solid.block is None else S.SURFACE_INCOMPLETE
        return empty | {"coronal_wedge_angle_deg": None, "width_status": status}
    angle = angle_deg(lower.normal, upper.normal, solid.block.frame.anterior)
    if solid.width_status == S.PARTLY_SEEN:
        angle = None
    found = {"coronal_wedge_angle_deg": angle, "width_status": width_state(solid)}
    if not solid.whole_width:
        return empty | found
    return found | {f"width_{n}_mm": solid.outline.width_at(h) for n, h in SIZE_HEIGHTS.items()}
