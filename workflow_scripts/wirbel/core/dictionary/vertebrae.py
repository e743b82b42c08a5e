"""The table of vertebrae: one row per presacral vertebra of a scan."""

from __future__ import annotations

from wirbel.core.dictionary.column import MILLIMETRES, NUMBER, Column
from wirbel.core.dictionary.shared import (
    IDENTITY,
    LABEL,
    LEVEL,
    LEVEL_NAMING,
    OWN_AXIS,
    centroid,
    status,
    volume,
)
from wirbel.core.labels import POSTERIOR_ELEMENTS, SUBREGION_NAMES

SIX_POINT = (
    "six-point morphometry of Black et al., J Bone Miner Res 1991;6:883-892, "
    "with all points in the mid-sagittal plane"
)


def _body_height(name, percent, interval) -> Column:
    return Column(
        f"height_{name}_mm",
        NUMBER,
        f"{name.capitalize()} height of the vertebral body",
        f"Distance along the vertebra's superior axis between the outer surfaces of its upper and lower "
        f"endplates at {percent} % of the depth (0 % is the back), in the mid-sagittal plane. {OWN_AXIS}",
        SIX_POINT,
        MILLIMETRES,
        interval,
        status="height_status",
    )


VERTEBRAE = (
    *IDENTITY,
    LABEL,
    LEVEL,
    *LEVEL_NAMING,
    _body_height("anterior", 85, (5.0, 45.0)),
    _body_height("middle", 50, (5.0, 45.0)),
    _body_height("posterior", 15, (5.0, 45.0)),
    status(
        "height_status",
        "the heights' measurement",
        "ok",
        "touches_border",
        "absent",
        "no_canal",
        "surface_incomplete",
        "not_defined_for_c2",
    ),
    volume(
        "body_volume_mm3",
        "vertebral body without its endplates",
        "labels 49 and 50",
        "body_status",
        (500.0, 90000.0),
    ),
    volume(
        "vertebra_volume_mm3",
        "whole vertebra without its endplates",
        "labels 41 to 50",
        "vertebra_status",
        (2000.0, 160000.0),
    ),
    *(
        volume(
            f"{SUBREGION_NAMES[label]}_volume_mm3",
            SUBREGION_NAMES[label].replace("_", " "),
            f"label {label}",
            "vertebra_status",
        )
        for label in POSTERIOR_ELEMENTS
    ),
    *centroid("", "whole vertebra", "vertebra_status"),
    *centroid("body_", "vertebral body", "body_status"),
    status("body_status", "the vertebral body", "ok", "touches_border", "absent"),
    status("vertebra_status", "the vertebra", "ok", "touches_border"),
)
