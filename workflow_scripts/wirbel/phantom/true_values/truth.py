"""The true values of what the features stage measures, computed from the shapes themselves.

Sizes, angles, slips and signals come from the parameters of shapes and tissues; volumes and
cross-sections from drawing each structure on a fine grid (error below 0.5 %). Definitions are those
of the data dictionary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wirbel.core import labels as L
from wirbel.core.measures import status as S
from wirbel.core.measures.curvature.alignment import alignment_columns
from wirbel.core.measures.curvature.slips import slip_columns
from wirbel.core.measures.discs import AREA_FRACTIONS, DISC_CENTRAL_DEPTH, index_columns
from wirbel.core.measures.fractures.grades import deformity_columns, fracture_columns
from wirbel.core.measures.shape.endplates import Endplate, angle_deg
from wirbel.core.measures.shape.joint import (
    largest_slip_columns,
    segment_angle_deg,
    slope_columns,
    stenosis_columns,
)
from wirbel.core.measures.vertebrae import CORNER_COLUMNS, HEIGHT_COLUMNS
from wirbel.phantom.imaging.acquisition import Acquisition
from wirbel.phantom.imaging.contrast import Contrast
from wirbel.phantom.person.anatomy import Anatomy
from wirbel.phantom.true_values.true_contrast import TrueMarrow, true_contrast_columns, true_vbq
from wirbel.phantom.true_values.true_foramen import true_foramen_columns
from wirbel.phantom.true_values.true_sections import (
    add_true_compression,
    true_centreline,
    true_narrowest_columns,
    true_section_columns,
)
from wirbel.phantom.true_values.true_shapes import (
    TrueDisc,
    TrueSolid,
    body_sizes,
    true_body,
    true_sacral_plate,
)
from wirbel.phantom.true_values.true_signals import true_body_ratio, true_disc_ratio
from wirbel.phantom.true_values.true_volumes import FineMaps

Row = dict[str, Any]
VBQ_COLUMNS = ("vbq_t2_to_csf_ratio", "vbq_t2_to_csf_corrected_ratio")


def truth_tables(anatomy: Anatomy, acquisition: Acquisition, contrast: Contrast) -> dict:
    """Return {"scan": {...}, "vertebrae": [...], "discs": [...], "levels": [...]}, rows from the top
    down.

    Positions are scanner RAS mm. Rows are structures at least partly in the field of view;
    `fully_visible` says whether a structure is completely inside, which any measure of shape needs.
    """
    discs = [TrueDisc(anatomy, k) for k in range(len(anatomy.vertebrae))]
    solids = {v.label: true_body(v) for v in anatomy.vertebrae}
    solids |= {
        L.DISC_OFFSET + v.label: disc.solid()
        for v, disc in zip(anatomy.vertebrae, discs, strict=True)
    }
    maps = FineMaps(anatomy, acquisition)
    vertebrae, centres = _vertebra_rows(anatomy, maps, solids)
    disc_rows = _disc_rows(anatomy, maps, discs, vertebrae, solids)
    marrow = TrueMarrow(contrast, maps, acquisition)
    _add_signals(anatomy, maps, contrast, marrow, vertebrae, disc_rows, discs)
    line = true_centreline(anatomy)
    levels = []
    for row in vertebrae:
        near = {"body": centres[row["label"]]}
        near["disc"] = solids[L.DISC_OFFSET + row["label"]].region.centroid_mm
        level = {name: row[name] for name in ("label", "level", "body_fully_visible")}
        for place, centre in near.items():
            level |= true_section_columns(maps, line, centre, place)
        level |= true_narrowest_columns(maps, line, near["body"], near["disc"])
        levels.append(level)
    _add_torg(levels, vertebrae)
    add_true_compression(levels)
    whole = {row["label"] for row in vertebrae if row["body_fully_visible"]}
    whole |= {L.DISC_OFFSET + row["label_above"] for row in disc_rows if row["fully_visible"]}
    slips = [row | {"slip_status": S.OK} for row in disc_rows if row["fully_visible"]]
    in_view: Any = {key: solid for key, solid in solids.items() if key in whole}
    scan = (
        _counts(anatomy)
        | {"region": acquisition.region}
        | _public(alignment_columns(in_view, line))
        | _slopes(anatomy, in_view, acquisition.world[:3, :3])
        | dict.fromkeys(VBQ_COLUMNS, true_vbq(contrast, anatomy, whole))
        | _public(largest_slip_columns(slips))
        | {"conus_level": _conus_level(anatomy, whole)}
        | _public(deformity_columns([row for row in vertebrae if row["body_fully_visible"]]))
    )
    return {"scan": scan, "vertebrae": vertebrae, "discs": disc_rows, "levels": levels}


def _add_torg(levels: list[Row], vertebrae: list[Row]) -> None:
    """Add the Torg-Pavlov ratio to the rows of levels, in place."""
    codes = dict.fromkeys(("canal_ap_min_status", "canal_ap_body_status"), S.OK)
    rows = [row | codes for row in levels]
    bodies = [row | {"height_status": S.OK} for row in vertebrae]
    for row, more in zip(levels, stenosis_columns(rows, bodies), strict=True):
        row |= _public(more)


def _slopes(anatomy: Anatomy, solids: dict, turn: np.ndarray) -> Row:
    """Return the slopes of T1 and of the sacrum in the scanner, in which the person lies rotated by
    `turn`.
    """

    def turned(plate: Endplate) -> Endplate:
        return Endplate(*(turn @ part for part in (plate.normal, plate.back_mm, plate.front_mm)))

    t1, last = L.LEVEL_LABELS["T1"], L.DISC_OFFSET + anatomy.vertebrae[-1].label
    first: Any = {}
    if t1 in solids:
        first = {t1: TrueSolid(None, solids[t1].region, {1: turned(solids[t1].plates[1])})}
    sacral = turned(solids[last].plates[-1]) if last in solids else None
    return _public(slope_columns(first, sacral))


def _conus_level(anatomy: Anatomy, whole: set[int]) -> str | None:
    """Return the level beside the cord's lower end, where it lies wholly in view.

    The cord has 12 mm2 left at the middle of this body, as the columns of scans define its end.
    """
    levels = [v.level for v in anatomy.vertebrae]
    number = levels.index(anatomy.conus_level) if anatomy.conus_level in levels else -5
    vertebra = anatomy.vertebrae[number]
    return vertebra.level if vertebra.label in whole else None


def _counts(anatomy: Anatomy) -> Row:
    """Return the numbers of vertebrae; C1 has no shape but counts."""
    levels = [v.level for v in anatomy.vertebrae]
    numbers = [sum(level[0] == region for level in levels) for region in "CTL"]
    return {
        "presacral_vertebrae": sum(numbers) + 1,
        "enumeration_type": f"C{numbers[0] + 1} T{numbers[1]} L{numbers[2]}",
        "last_level": levels[-1],
        "thoracic_vertebrae": numbers[1],
    }


def _vertebra_rows(anatomy, maps, solids) -> tuple[list[Row], dict[int, np.ndarray]]:
    """Return the rows of vertebrae in view, and the drawn centres of their bodies."""
    rows, centres = [], {}
    for vertebra in anatomy.vertebrae:
        drawn, centre = maps.vertebra_columns(vertebra.label)
        if drawn["body_visible_fraction"] == 0:
            continue
        centres[vertebra.label] = centre
        sizes: dict[str, float | None] = {**body_sizes(vertebra)}
        if vertebra.dens is not None:
            sizes = dict.fromkeys(sizes)
        plates = solids[vertebra.label].plates
        angles: dict[str, float | None] = {
            "wedge_angle_deg": angle_deg(
                plates[-1].normal, plates[1].normal, vertebra.rotation[:, 0]
            ),
            "coronal_wedge_angle_deg": 0.0,
        }
        if vertebra.dens is not None:
            angles = dict.fromkeys(angles)
        row = {"label": vertebra.label, "level": vertebra.level} | sizes | angles | drawn
        rows.append(row | {"fracture": vertebra.fracture, "height_status": S.OK})
    compared = [
        row
        if row["body_fully_visible"]
        else row | dict.fromkeys((*HEIGHT_COLUMNS, *CORNER_COLUMNS))
        for row in rows
    ]
    ratios = fracture_columns(compared)
    return [_public(row | more) for row, more in zip(rows, ratios, strict=True)], centres


def _disc_rows(anatomy, maps, discs, vertebrae, solids) -> list[Row]:
    by_label = {row["label"]: row for row in vertebrae}
    rows = []
    for k, disc in enumerate(discs):
        above = anatomy.vertebrae[k]
        drawn = maps.disc_columns(above.label)
        if drawn["visible_fraction"] == 0:
            continue
        last = k + 1 == len(anatomy.vertebrae)
        below = L.SACRUM if last else anatomy.vertebrae[k + 1].label
        row = {"level": L.disc_name(above.label, below), "label_above": above.label}
        row |= drawn | _disc_sizes(disc, solids[L.DISC_OFFSET + above.label])
        near = [by_label[v] for v in (above.label, below) if v in by_label]
        row |= index_columns(row, [n for n in near if n["body_fully_visible"]])
        under = true_sacral_plate(anatomy) if last else solids[below].plates[1]
        row |= slip_columns(solids[above.label].plates[-1], under)
        row["posterior_bulge_mm"] = disc.bulge_mm(solids[above.label].plates[-1], under)
        pair = None if last else (above, anatomy.vertebrae[k + 1])
        row |= true_foramen_columns(maps, disc, pair)
        row["segment_angle_deg"] = None
        if above.dens is None:
            lower = under if last else solids[below].plates[-1]
            row["segment_angle_deg"] = segment_angle_deg(
                solids[above.label].plates[1], lower, above.rotation[:, 0]
            )
        rows.append(_public(row))
    return rows


def _add_signals(
    anatomy, maps, contrast, marrow, vertebrae: list[Row], discs: list[Row], shapes
) -> None:
    """Add the signal ratios to the rows, in place."""
    number = {vertebra.label: k for k, vertebra in enumerate(anatomy.vertebrae)}
    for row in vertebrae:
        row["body_to_csf_ratio"] = true_body_ratio(contrast, number[row["label"]])
        row["body_to_csf_corrected_ratio"] = row["body_to_csf_ratio"]
        row["body_heterogeneity_percent"] = marrow.heterogeneity_percent(
            row["label"], number[row["label"]]
        )
    for row in discs:
        row["disc_to_csf_ratio"] = true_disc_ratio(contrast, maps, row["label_above"])
        row["disc_to_csf_corrected_ratio"] = row["disc_to_csf_ratio"]
        shape = shapes[number[row["label_above"]]]
        row |= true_contrast_columns(contrast, maps, shape, row["label_above"])


def _disc_sizes(disc: TrueDisc, solid: TrueSolid) -> Row:
    axis = disc.frame.rotation[:, 0]
    return {
        "disc_height_mm": float(
            np.mean([disc.height_mm(f) for f in np.linspace(*DISC_CENTRAL_DEPTH, 11)])
        ),
        "disc_height_anterior_mm": disc.height_mm(0.85),
        "disc_height_middle_mm": disc.height_mm(0.5),
        "disc_height_posterior_mm": disc.height_mm(0.15),
        "disc_depth_mm": disc.depth_mm,
        "disc_width_mm": disc.width_mm,
        "disc_area_mm2": float(np.mean([disc.height_mm(f) for f in AREA_FRACTIONS]))
        * disc.depth_mm,
        "disc_wedge_angle_deg": angle_deg(solid.plates[-1].normal, solid.plates[1].normal, axis),
    }


def _public(row: Row) -> Row:
    return {name: value for name, value in row.items() if not name.endswith("_status")}
