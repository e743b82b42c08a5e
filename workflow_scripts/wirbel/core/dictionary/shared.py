"""Columns that several tables share, and the families of columns that they are made of."""

from __future__ import annotations

from wirbel.core.dictionary.column import (
    BOOLEAN,
    CUBIC_MILLIMETRES,
    DEGREES,
    INTEGER,
    MILLIMETRES,
    NUMBER,
    PRODUCT,
    RATIO,
    STRING,
    Column,
)
from wirbel.core.measures import status as S
from wirbel.core.measures.status import STATUS_CODES
from wirbel.core.reviewing.reviews import OUTCOMES
from wirbel.core.spine.calibration import in_words

VOXEL_COUNT = "number of voxels with the structure's label times the volume of one voxel"
SURFACE = (
    "Voxels times the volume of one, corrected for how the slices happen to lie: the solid between the fitted "
    "surfaces and inside the fitted outline is counted on the scan's grid, and its own volume over that count is "
    "applied"
)
OWN_AXIS = (
    "The superior axis bisects the normals of planes fitted to the middle of the upper and the lower "
    "surface; the mid-sagittal plane holds this axis, the structure's centroid and the centre of the "
    "canal behind it; depth runs from the back wall to the front wall at the rims."
)


def _identity(name: str, description: str, definition: str) -> Column:
    return Column(name, STRING, description, definition, "BIDS file name")


IDENTITY = (
    _identity("participant_id", "Participant", "The entity sub-<label>"),
    _identity("session_id", "Session", "The entity ses-<label>; empty when the data set has none"),
    _identity("run_id", "Run", "The entity run-<index>; empty when there is one run"),
    _identity("scan_id", "Scan", "The file name without _T2w.nii[.gz]; unique in the data set"),
)


REVIEW = Column(
    "review",
    STRING,
    "What readers decided about the scan",
    "From the files that the setting reviews names, the same for all rows of a scan. Rejected scans are kept: leave "
    "them out of analyses by this column",
    "readers",
    codes=OUTCOMES,
)
MEASURED = (S.OK, S.TOUCHES_BORDER, S.PARTLY_SEEN, S.ABSENT, S.NO_CANAL, S.SURFACE_INCOMPLETE)
"""Status codes of everything that is fitted to a body or a disc."""
SIGNAL = (
    *(S.OK, S.NO_IMAGE, S.ABSENT, S.TOO_FEW_VOXELS),
    *(S.NO_ZERO, S.VOXELS_REPLACED, S.DARK_FLUID),
)


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
    """Return the column of a volume counted in voxels, in mm3; `absent` says what stands for nothing."""
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
    """Return the column of a volume inside fitted surfaces, in mm3."""
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
    """Return the column of a length in mm."""
    return Column(
        name, NUMBER, what, definition, source, MILLIMETRES, status=status, **limits(interval)
    )


def angle(name, what, definition, status, interval, source=PRODUCT) -> Column:
    """Return the column of an angle in degrees."""
    return Column(name, NUMBER, what, definition, source, DEGREES, interval, 2, status)


def ratio(name, what, definition, status, interval, source=PRODUCT, units=RATIO) -> Column:
    """Return the column of a number without a length."""
    return Column(name, NUMBER, what, definition, source, units, interval, 4, status)


def signal_ratio(name, what, margin, status, source) -> Column:
    """Return the column of a T2 signal over that of the fluid beside it."""
    return ratio(
        name,
        f"T2 signal of the {what} over that of the cerebrospinal fluid",
        f"Median intensity of the {what} deeper than {margin} mm over the median of the canal without the "
        "cord, deeper than 1 mm, within 45 mm; both also without their outermost voxels. From the scan as it "
        "is, without bias field correction; voxels of NaN, infinity or absurdly far from all others do not count",
        status,
        (0.0, 3.0),
        source,
    )


def corrected_ratio(name, state, raw) -> tuple[Column, Column]:
    """Return the column of a T2 signal ratio, `raw`, without the coil's fall-off, and its status."""
    return (
        ratio(
            name,
            f"{raw} corrected for the coil's fall-off",
            f"{raw} * exp(-b d): b is the change of the logarithm of the signal per mm forwards within "
            "vertebral bodies (medians of front and back third, the median over the scan's bodies, at least three), d "
            "the distance from the canal's centre",
            state,
            (0.0, 3.0),
        ),
        status(state, "the corrected signal ratio", *SIGNAL),
    )


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


COMPLETE = "complete"


def complete(what: str, definition: str) -> Column:
    """Return the column that tells rows of whole structures from those of imaged parts."""
    return Column(
        COMPLETE,
        BOOLEAN,
        f"Whether {what} lies wholly in view",
        f"{definition}. Average volumes over rows with true only",
    )


LEVEL = Column(
    "level",
    STRING,
    "Vertebral level",
    "C2 to C7, T1 to T13, L1 to L6, named as level_method of the scan says",
)
LEVEL_ORDER = Column(
    "level_order",
    INTEGER,
    "Place of the level down the spine",
    "1 C1 to 7 C7, 8 T1 to 19 T12, 20 T13, 21 L1 to 26 L6; of a disc, that of the vertebra above. For sorting and for "
    "axes; in Parquet the column level is ordered the same way",
    interval=(1, 26),
)
LABEL = Column(
    "label", INTEGER, "Number in the vertebra map", "1-7 C1-C7, 8-19 T1-T12, 28 T13, 20-25 L1-L6"
)
LEVEL_METHOD_CODES = {
    "top": "counted down from the top of the spine",
    "sacrum": "counted up from the sacrum",
    "both": "counted from both ends",
    "labelling": "named by the labelling network",
    "estimated": "neither end is in view: estimated from position and size",
    "counted": "the topmost vertebra in view counts as C2, as SPINEPS does (compatibility: spineps)",
    "reader": "corrected by a reader (setting reviews)",
    "unknown": "the maps came without this information",
}
ALTERNATIVE = Column(
    "level_alternative",
    STRING,
    "Second most probable level of the uppermost vertebra",
    "Empty where no other has 1 %; names of the other vertebrae shift by as many levels",
    status="level_method",
)
SET_ASIDE = Column(
    "parts_set_aside",
    INTEGER,
    "Parts called vertebral body that are none",
    "Pieces of at least 0.1 ml that the decision over the whole spine takes for nothing or for segments of the "
    "sacrum; they "
    "have no row in any table",
    interval=(0, 48),
    status="level_method",
)
LEVEL_NAMING = (
    Column(
        "level_confidence",
        NUMBER,
        "Confidence in the level names",
        "Probability that all names of the scan are right, from 0 to 1, the same for all its rows; calibrated "
        "on faulty "
        f"maps ({in_words()}). With level_method labelling the mean probability that the network gives to the names",
        interval=(0.0, 1.0),
        status="level_method",
        compared=False,
    ),
    Column(
        "level_method",
        STRING,
        "How the level names were found",
        "The end of the spine that the vertebrae were counted from, or the network that named them; the same for "
        "all rows of a scan",
        codes=LEVEL_METHOD_CODES,
    ),
)
