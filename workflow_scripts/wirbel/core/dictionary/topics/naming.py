"""The columns that say how vertebrae were named, and how many of each region there are."""

from __future__ import annotations

from wirbel.core.dictionary.column import INTEGER, NUMBER, STRING, Column
from wirbel.core.dictionary.families import status
from wirbel.core.levels.calibration import in_words
from wirbel.core.measures import status as S

THAWAIT = "Thawait et al., Radiol Clin North Am 2012;50:587-598"
LEVEL_METHOD_CODES = {
    "top": "counted down from the top of the spine",
    "sacrum": "counted up from the sacrum",
    "both": "counted from both ends",
    "labelling": "named by the labelling network",
    "estimated": "neither end is in view: estimated from position and size",
    "counted": "the topmost vertebra in view counts as C2, as SPINEPS does (compatibility: spineps)",
    "stations": "named by the session's other stations, which show the same vertebrae (stitch: false)",
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
ENUMERATION = (
    Column(
        "presacral_vertebrae",
        INTEGER,
        "Number of presacral vertebrae",
        "Vertebrae above the sacrum, C1 counted although it has no label; 24 in most people. Only when C2 and "
        "the sacrum are in view; as good as the level names",
        THAWAIT,
        interval=(22, 26),
        status="enumeration_status",
    ),
    Column(
        "enumeration_type",
        STRING,
        "How many vertebrae each region has",
        "Cervical, thoracic and lumbar, such as C7 T12 L5",
        THAWAIT,
        status="enumeration_status",
    ),
    status("enumeration_status", "the enumeration", S.OK, S.NOT_IN_VIEW, S.VERTEBRA_MISSING),
    Column(
        "numbering_flags",
        STRING,
        "What is unusual about the numbers of the vertebrae",
        "Flags separated by semicolons, empty when there are none: gap (a vertebra between those of the map is missing "
        "from it), thirteen_thoracic (there is a T13), eleven_thoracic (L1 lies right below T11), six_lumbar (there is "
        "an L6), four_lumbar (the sacrum lies right below L4). As good as the level names",
        THAWAIT,
    ),
)
