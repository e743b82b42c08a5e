"""Columns that every structure has: where it is, and whether all of it is in view."""

from __future__ import annotations

from wirbel.core.measures import status as S
from wirbel.core.measures.frames import Region

CENTROID = ("centroid_x_mm", "centroid_y_mm", "centroid_z_mm")
BODY_CENTROID = ("body_centroid_x_mm", "body_centroid_y_mm", "body_centroid_z_mm")


def presence(region: Region | None) -> str:
    """Return the status code of a structure's volume and position."""
    if region is None:
        return S.ABSENT
    return S.TOUCHES_BORDER if region.touches_border else S.OK


def centroid_columns(region: Region | None, names: tuple[str, ...] = CENTROID) -> dict:
    """Return the three columns of a structure's mean position, RAS+ world mm."""
    values = region.centroid_mm if region else (None, None, None)
    return dict(zip(names, values, strict=True))
