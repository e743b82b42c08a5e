"""The columns of the spine's alignment: curves from the side and from the front, slopes, the largest slip, length."""

from __future__ import annotations

from wirbel.core.dictionary.column import STRING, Column
from wirbel.core.dictionary.families import angle, size, status
from wirbel.core.measures import status as S

COBB = "Cobb, Instr Course Lect 1948;5:261-275; here supine, which flattens the curves"
SRS = "after O'Brien et al., Spinal Deformity Study Group Radiographic Measurement Manual, Medtronic 2008"
MEYERDING = "Meyerding, Surg Gynecol Obstet 1932;54:371-377"
PROJECTED = (
    "projected onto the sagittal plane of the spine in view: right is the mean of all bodies' right axes, superior "
    "the line from the lowest to the highest body. Measured lying supine"
)


def _curve(name, state, what, first, last, positive) -> tuple:
    return (
        angle(
            name,
            f"{what}, supine",
            f"Angle between {first} and {last}, {positive} positive, {PROJECTED}",
            state,
            (-60.0, 110.0),
            COBB,
        ),
        status(state, what.lower(), S.OK, S.NOT_IN_VIEW, S.VERTEBRA_MISSING),
    )


def _slope(name, state, what, plate, interval) -> tuple:
    return (
        angle(
            name,
            f"{what}, supine",
            f"How far {plate} slopes down forwards against the scanner's axial plane, lying supine: smaller than "
            "standing, and as good as the person lies straight",
            state,
            interval,
            "Legaye et al., Eur Spine J 1998;7:99-103 (slopes against the horizontal, standing)",
        ),
        status(state, what, S.OK, S.NOT_IN_VIEW),
    )


def _text(name: str, what: str, definition: str, state: str, source: str = COBB) -> Column:
    return Column(name, STRING, what, definition, source, status=state)


CORONAL = (
    _text(
        "cobb_side",
        "Side of the largest coronal curve",
        "left or right: where it is convex to, in the image's own left and right; only from 10 degrees",
        "cobb_side_status",
    ),
    _text(
        "cobb_apex_level",
        "Apex of the largest coronal curve",
        "The vertebra or disc whose centre lies furthest to the convex side of the line between the centres of "
        "both end "
        "vertebrae; only from 10 degrees. In a long, flat curve it may be one off",
        "cobb_side_status",
        SRS,
    ),
    status(
        "cobb_side_status", "side and apex of the coronal curve", S.OK, S.NOT_IN_VIEW, S.NO_CURVE
    ),
    angle(
        "cobb_second_angle_deg",
        "Second coronal Cobb angle, supine",
        "Largest angle of the direction opposite to that of cobb_angle_deg between two vertebrae that both lie "
        "above the "
        "largest curve, or both below; an end vertebra may belong to both. Below 10 degrees it is no curve",
        "cobb_second_status",
        (0.0, 90.0),
        COBB,
    ),
    _text(
        "cobb_second_upper_level",
        "Upper end vertebra of the second coronal curve",
        "Its level",
        "cobb_second_status",
    ),
    _text(
        "cobb_second_lower_level",
        "Lower end vertebra of the second coronal curve",
        "Its level",
        "cobb_second_status",
    ),
    status("cobb_second_status", "the second coronal curve", S.OK, S.NOT_IN_VIEW, S.NO_CURVE),
)
ALIGNMENT = (
    *_curve(
        "cervical_lordosis_deg",
        "cervical_lordosis_status",
        "Cervical lordosis C2-C7",
        "the lower endplates of C2 (as the disc's face)",
        "C7",
        "lordosis",
    ),
    *_curve(
        "thoracic_kyphosis_deg",
        "thoracic_kyphosis_status",
        "Thoracic kyphosis from T4",
        "the upper endplate of T4",
        "the lower one of the last thoracic vertebra",
        "kyphosis",
    ),
    *_curve(
        "lumbar_lordosis_deg",
        "lumbar_lordosis_status",
        "Lumbar lordosis from L1 to the last lumbar vertebra",
        "the upper endplate of L1",
        "the lower one of the last lumbar vertebra",
        "lordosis",
    ),
    *_curve(
        "lumbar_lordosis_s1_deg",
        "lumbar_lordosis_s1_status",
        "Lumbar lordosis from L1 to the sacrum",
        "the upper endplate of L1",
        "that of the sacrum (as the disc's face)",
        "lordosis",
    ),
    angle(
        "cobb_angle_deg",
        "Largest coronal Cobb angle, supine",
        "Largest angle between the upper endplate of a vertebra and the lower one of another further down, in the "
        "coronal plane of the spine in view. Measured lying supine; below 10 degrees it is no "
        "scoliosis, and noise alone gives a few degrees",
        "cobb_status",
        (0.0, 120.0),
        COBB,
    ),
    Column(
        "cobb_upper_level",
        STRING,
        "Upper end vertebra of the largest coronal curve",
        "Its level",
        COBB,
        status="cobb_status",
    ),
    Column(
        "cobb_lower_level",
        STRING,
        "Lower end vertebra of the largest coronal curve",
        "Its level",
        COBB,
        status="cobb_status",
    ),
    status("cobb_status", "the coronal curve", S.OK, S.NOT_IN_VIEW),
    *CORONAL,
    *_slope(
        "t1_slope_deg", "t1_slope_status", "T1 slope", "the upper endplate of T1", (-20.0, 70.0)
    ),
    *_slope(
        "sacral_slope_deg",
        "sacral_slope_status",
        "Sacral slope",
        "the endplate of the sacrum (as the disc's face)",
        (-10.0, 80.0),
    ),
    size(
        "largest_slip_mm",
        "Largest slip",
        "The slip_mm of largest size in the table of discs, with its sign",
        "slip_status",
        (-15.0, 30.0),
        MEYERDING,
    ),
    Column(
        "largest_slip_level",
        STRING,
        "Where the largest slip is",
        "The level of its disc",
        MEYERDING,
        status="slip_status",
    ),
    status("slip_status", "the search for the largest slip", S.OK, S.NOT_IN_VIEW, S.SOME_MISSING),
    size(
        "spine_length_mm",
        "Length of the spine, supine",
        "Length of the canal's smoothed centreline from beside the disc below C2 to beside the upper endplate of "
        "the sacrum",
        "spine_length_status",
        (300.0, 800.0),
    ),
    status("spine_length_status", "the length", S.OK, S.NOT_IN_VIEW, S.VERTEBRA_MISSING),
)
