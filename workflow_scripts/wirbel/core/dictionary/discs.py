"""The table of discs: one row per intervertebral disc of a scan."""

from __future__ import annotations

from wirbel.core.dictionary.column import INTEGER, MILLIMETRES, NUMBER, STRING, Column
from wirbel.core.dictionary.shared import (
    IDENTITY,
    LEVEL_NAMING,
    OWN_AXIS,
    centroid,
    status,
    volume,
)


def _disc_height(name, definition) -> Column:
    return Column(
        f"disc_height{name}_mm",
        NUMBER,
        f"{name.strip('_').capitalize() or 'Mean'} height of the disc",
        f"{definition}, along the disc's superior axis in its mid-sagittal plane, from the endplate above "
        f"to the endplate below. {OWN_AXIS}",
        "after Frobin et al., Clin Biomech 1997;12 Suppl 1:S1-S63",
        MILLIMETRES,
        (1.0, 22.0),
        status="disc_height_status",
    )


DISCS = (
    *IDENTITY,
    Column(
        "label_above",
        INTEGER,
        "Number of the vertebra above in the vertebra map",
        "The disc itself carries this number plus 100",
    ),
    Column("level", STRING, "Level of the disc", "The vertebrae above and below, such as L5-S1"),
    *LEVEL_NAMING,
    _disc_height("", "Mean height over the middle half of the depth, the mean of 11 positions"),
    _disc_height("_anterior", "Height at 85 % of the depth (0 % is the back)"),
    _disc_height("_middle", "Height at 50 % of the depth"),
    _disc_height("_posterior", "Height at 15 % of the depth (0 % is the back)"),
    status(
        "disc_height_status",
        "the heights' measurement",
        "ok",
        "touches_border",
        "absent",
        "no_canal",
        "surface_incomplete",
    ),
    volume("disc_volume_mm3", "intervertebral disc", "label 100", "disc_status", (200.0, 35000.0)),
    *centroid("", "disc", "disc_status"),
    status("disc_status", "the disc", "ok", "touches_border"),
)
