"""The columns of coronal curves beside the largest one's angle and ends: its side, its apex, and the second curve."""

from __future__ import annotations

from wirbel.core.dictionary.column import STRING, Column
from wirbel.core.dictionary.shared import angle, status
from wirbel.core.measures import status as S

COBB = "Cobb, Instr Course Lect 1948;5:261-275; here supine, which flattens the curves"
SRS = "after O'Brien et al., Spinal Deformity Study Group Radiographic Measurement Manual, Medtronic 2008"


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
