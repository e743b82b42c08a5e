"""Families of columns: volumes, sizes, angles, ratios, positions, and the status that explains them."""

from __future__ import annotations

from wirbel.core.dictionary.column import (
    CUBIC_MILLIMETRES,
    DEGREES,
    MILLIMETRES,
    NUMBER,
    PRODUCT,
    RATIO,
    STRING,
    Column,
)
from wirbel.core.measures import status as S
from wirbel.core.measures.status import STATUS_CODES

VOXEL_COUNT = "number of voxels with the structure's label times the volume of one voxel"
SURFACE = (
    "Voxels times the volume of one, corrected for how the slices happen to lie: the solid between the fitted "
    "surfaces and inside the fitted outline is counted on the scan's grid, and its own volume over that count is "
    "applied"
)
MEASURED = (S.OK, S.TOUCHES_BORDER, S.PARTLY_SEEN, S.ABSENT, S.NO_CANAL, S.SURFACE_INCOMPLETE)
"""Status codes of everything that is fitted to a body or a disc."""


def status(name: str, what: str, *codes: str) -> Column:
    """Return a column of codes that say why other columns are empty."""
    return Column(
        name,
        STRING,
        f"Whether {what} is complete",
        "Code that says why a value is missing or incomplete",
        codes={code: STATUS_CODES[code] for code in codes},
    )


ABSENT_IS_EMPTY = "empty when the structure was not found"
PART_IS_ZERO = "0 when none was found in a vertebra that is wholly in view, else empty"


def limits(interval) -> dict:
    """Return a column's plausible range; a range for each level makes the overall one their hull."""
    if not isinstance(interval, dict):
        return {"interval": interval}
    lows, highs = zip(*interval.values(), strict=True)
    return {"interval": (min(lows), max(highs)), "level_intervals": interval}


def volume(name, what, labels, status, interval=None, absent=ABSENT_IS_EMPTY) -> Column:
    """Return the column of a volume counted in voxels, in mm3.

    Parameters
    ----------
    name : str
        The column.
    what : str
        The structure, as in 'Volume of the ...'.
    labels : str
        Its labels, as people read them.
    status : str
        Column that explains a missing value.
    interval : tuple or dict, optional
        Plausible range in mm3, or a range for each level.
    absent : str
        What stands for a structure that is not there.
    """
    return Column(
        name,
        NUMBER,
        f"Volume of the {what}",
        f"{VOXEL_COUNT} ({labels}); {absent}; the imaged part only when "
        f"{status} says touches_border",
        units=CUBIC_MILLIMETRES,
        **limits(interval),
        decimals=1,
        status=status,
    )


def surface_volume(name, what, status, interval) -> Column:
    """Return the column of a volume inside fitted surfaces, in mm3.

    Parameters
    ----------
    name : str
        The column.
    what : str
        The structure, as in 'Volume of the ...'.
    status : str
        Column that explains a missing value.
    interval : tuple or dict
        Plausible range in mm3, or a range for each level.
    """
    return Column(
        name,
        NUMBER,
        f"Volume of the {what} inside smooth surfaces",
        SURFACE,
        units=CUBIC_MILLIMETRES,
        **limits(interval),
        decimals=1,
        status=status,
    )


def size(name, what, definition, status, interval, source=PRODUCT) -> Column:
    """Return the column of a length in mm.

    Parameters
    ----------
    name : str
        The column.
    what : str
        Long name.
    definition : str
        How it is measured.
    status : str
        Column that explains a missing value.
    interval : tuple or dict
        Plausible range in mm, or a range for each level.
    source : str
        Publication that defines the measure.
    """
    return Column(
        name, NUMBER, what, definition, source, MILLIMETRES, status=status, **limits(interval)
    )


def angle(name, what, definition, status, interval, source=PRODUCT) -> Column:
    """Return the column of an angle in degrees.

    Parameters
    ----------
    name : str
        The column.
    what : str
        Long name.
    definition : str
        How it is measured, and which sign means what.
    status : str
        Column that explains a missing value.
    interval : tuple
        Plausible range in degrees.
    source : str
        Publication that defines the measure.
    """
    return Column(name, NUMBER, what, definition, source, DEGREES, interval, 2, status)


def ratio(name, what, definition, status, interval, source=PRODUCT, units=RATIO) -> Column:
    """Return the column of a number without a length.

    Parameters
    ----------
    name : str
        The column.
    what : str
        Long name.
    definition : str
        How it is computed.
    status : str
        Column that explains a missing value.
    interval : tuple
        Plausible range.
    source : str
        Publication that defines the measure.
    units : str
        Default: a ratio, 1.
    """
    return Column(name, NUMBER, what, definition, source, units, interval, 4, status)


CENTROID = ("centroid_x_mm", "centroid_y_mm", "centroid_z_mm")
BODY_CENTROID = ("body_centroid_x_mm", "body_centroid_y_mm", "body_centroid_z_mm")


def centroid(names, what, status) -> tuple[Column, ...]:
    """Return the three columns of a mean position, in RAS+ world mm."""
    directions = {"x": "right", "y": "anterior", "z": "superior"}
    return tuple(
        Column(
            name,
            NUMBER,
            f"Position of the {what}, {way} positive",
            f"Mean {axis} coordinate of the {what}'s voxels in the scanner's RAS+ world coordinates; of the "
            f"imaged part only when {status} says touches_border",
            units=MILLIMETRES,
            status=status,
            compared=False,
        )
        for name, (axis, way) in zip(names, directions.items(), strict=True)
    )
