"""The table of levels: canal and cord at the height of each vertebra of a scan."""

from __future__ import annotations

from wirbel.core.dictionary.column import NUMBER, SQUARE_MILLIMETRES, Column
from wirbel.core.dictionary.families import ratio, size, status, volume
from wirbel.core.dictionary.shared import IDENTITY, LABEL, LEVEL, LEVEL_ORDER, complete
from wirbel.core.dictionary.topics.canal import CODES, COMPRESSION, CORRECTED, NARROWEST
from wirbel.core.dictionary.topics.naming import LEVEL_NAMING
from wirbel.core.measures import status as S
from wirbel.core.measures.cord.section_columns import COMPARED, SECTIONS

_LEVEL_SHARE = (
    "at this level: the voxels nearer to this vertebral body's centroid than to any other's; beyond the "
    "first and the last body a mirror image of its neighbour takes the rest; empty where a vertebra next to it is "
    "not in the map (above C2 and below the sacrum none is missed)"
)
SECTION = (
    "the mean over 5 mm along the canal's smoothed centreline, at right angles to it (so the cosine of the "
    "slices' obliqueness does not enter)"
)
CURVE = "a closed curve fitted to where the slices' columns of voxels leave the structure"
SHARE_CODES = (S.OK, S.TOUCHES_BORDER, S.ABSENT, S.VERTEBRA_MISSING)
CORD_CODES = (*CODES, S.CORD_QUESTIONED)
PLACES = {"body": "beside the middle of the vertebral body", "disc": "beside the disc below"}
STRUCTURES = {
    "canal": ("spinal canal with the cord", (40.0, 900.0), (5.0, 35.0), (8.0, 45.0)),
    "cord": ("spinal cord", (8.0, 160.0), (2.0, 14.0), (2.5, 20.0)),
}
"""Structure -> what it is, and plausible areas, AP and RL diameters."""


def _section(name: str, place: str) -> tuple[Column, ...]:
    what, area, depth, width = STRUCTURES[name]
    own = SECTIONS[name, place]
    codes = CORD_CODES if name == "cord" else CODES
    return (
        Column(
            own.area,
            NUMBER,
            f"Cross-sectional area of the {what} {PLACES[place]}",
            f"Area of {CURVE}, times the structure's voxels in the slab over those inside the curve; {SECTION}",
            CORRECTED,
            SQUARE_MILLIMETRES,
            area,
            1,
            own.status,
        ),
        size(
            own.ap,
            f"AP diameter of the {what} {PLACES[place]}",
            f"Mean extent from back to front over the central 3 mm of the width; {SECTION}",
            own.ap_status,
            depth,
            CORRECTED,
        ),
        size(
            own.rl,
            f"RL diameter of the {what} {PLACES[place]}",
            f"Width of {CURVE}; {SECTION}",
            own.status,
            width,
            CORRECTED,
        ),
        status(own.status, f"area and width of the section of the {name}", *codes),
        status(
            own.ap_status,
            f"the AP diameter of the {name}, which a cut flank leaves as it is",
            *codes,
        ),
    )


def _space(place: str) -> tuple[Column, ...]:
    own, canal, cord = COMPARED[place], SECTIONS["canal", place], SECTIONS["cord", place]
    return (
        size(
            own.space,
            f"Space available for the cord {PLACES[place]}",
            f"{canal.ap} - {cord.ap}, at least 0",
            own.space_status,
            (0.0, 25.0),
            "Tierney et al., J Athl Train 2002, PMC164344",
        ),
        ratio(
            own.ratio,
            f"Area of the cord over that of the canal {PLACES[place]}",
            f"{cord.area} / {canal.area}, at most 1",
            own.ratio_status,
            (0.02, 1.0),
            "after Okada et al., Spine 1994;19:2331-2335 (areas of canal and cord, there canal over cord)",
        ),
        status(own.space_status, "the comparison of AP diameters of canal and cord", *CORD_CODES),
        status(own.ratio_status, "the comparison of areas of canal and cord", *CORD_CODES),
    )


LEVELS = (
    *IDENTITY,
    LABEL,
    LEVEL,
    LEVEL_ORDER,
    *LEVEL_NAMING,
    volume(
        "canal_volume_mm3",
        f"spinal canal without the cord {_LEVEL_SHARE}",
        "label 61",
        "canal_status",
        (0.0, 30000.0),
    ),
    volume(
        "cord_volume_mm3", f"spinal cord {_LEVEL_SHARE}", "label 60", "cord_status", (0.0, 6000.0)
    ),
    status("canal_status", "the canal at this level", *SHARE_CODES),
    status("cord_status", "the cord at this level", *SHARE_CODES, S.CORD_QUESTIONED),
    complete(
        "what the level holds of canal and cord",
        "true when canal_status is ok and cord_status is ok or absent. Both say touches_border also where the border "
        "cuts the body of this level or of one next to it: where its share ends is then unknown",
    ),
    *(
        column
        for place in PLACES
        for column in (*_section("canal", place), *_section("cord", place), *_space(place))
    ),
    *NARROWEST,
    *COMPRESSION,
)
