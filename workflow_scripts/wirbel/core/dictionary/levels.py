"""The table of levels: canal and cord at the height of each vertebra of a scan."""

from __future__ import annotations

from wirbel.core.dictionary.column import INTEGER, NUMBER, PERCENT, SQUARE_MILLIMETRES, Column
from wirbel.core.dictionary.shared import (
    IDENTITY,
    LABEL,
    LEVEL,
    LEVEL_NAMING,
    LEVEL_ORDER,
    complete,
    ratio,
    size,
    status,
    volume,
)
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
CORRECTED = (
    "after De Leener et al., NeuroImage 2017;145:24-43 (sections at right angles to the centreline)"
)
CODES = (S.OK, S.TOUCHES_BORDER, S.ABSENT, S.SURFACE_INCOMPLETE, S.FORM_ASSUMED)
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


ALONG = (
    "from the middle of the vertebral body to as far below the disc; {} at every position of the canal's smoothed "
    "centreline, by counting voxels with weights that fall off within 3 mm up and down (Hann). Noise makes the "
    "smallest of many values a little smaller than a single section would be"
)
NARROWEST = (
    Column(
        "canal_area_min_mm2",
        NUMBER,
        "Smallest cross-sectional area of the spinal canal with the cord at this level",
        f"Smallest area {ALONG.format('the area')}",
        CORRECTED,
        SQUARE_MILLIMETRES,
        (20.0, 900.0),
        1,
        "canal_min_status",
    ),
    size(
        "canal_ap_min_mm",
        "Smallest AP diameter of the spinal canal at this level",
        f"Smallest AP diameter {ALONG.format('the extent from back to front in the middle')}",
        "canal_ap_min_status",
        (3.0, 35.0),
        CORRECTED,
    ),
    status("canal_min_status", "the search for the smallest area", *CODES[:4], S.NOT_IN_VIEW),
    status("canal_ap_min_status", "the search for the smallest AP", *CODES[:4], S.NOT_IN_VIEW),
    Column(
        "stenosis_grade",
        INTEGER,
        "Grade of narrowness of the spinal canal",
        "By canal_ap_min_mm: cervical 1 below 13 mm, 2 below 10 mm; lumbar 1 below 12 mm (relative stenosis), 2 below "
        "10 mm (absolute); 0 otherwise. By measurement of the labelled canal alone",
        "Edwards and LaRocca, Spine 1983;8:20-27; Verbiest, J Bone Joint Surg Br 1954;36:230-237",
        interval=(0, 2),
        status="stenosis_status",
    ),
    status(
        "stenosis_status", "the grading of the canal", *CODES, S.NOT_IN_VIEW, S.NOT_DEFINED_AT_LEVEL
    ),
    ratio(
        "torg_pavlov_ratio",
        "Torg-Pavlov ratio",
        "canal_ap_body_mm / depth_middle_mm of the vertebra, C3 to C7",
        "torg_pavlov_status",
        (0.3, 2.0),
        "Torg et al., J Bone Joint Surg Am 1986;68:1354-1370; Pavlov et al., Radiology 1987;164:771-775 (on "
        "radiographs, below 0.82 narrow)",
    ),
    status(
        "torg_pavlov_status",
        "the comparison of canal and body",
        *CODES,
        S.NO_CANAL,
        S.PARTLY_SEEN,
        S.NOT_DEFINED_AT_LEVEL,
    ),
)

COMPRESSION = (
    ratio(
        "cord_compression_percent",
        "Maximum spinal cord compression (MSCC)",
        "100 * (1 - di / ((da + db) / 2)): di is the smallest AP diameter of the cord from the middle of the "
        "body to as far "
        "below the disc, da and db the larger one behind the middles of the two next bodies above and below the "
        "disc (of the "
        "one that is in view). AP diameters at every position as for canal_ap_min_mm. C2 to T10: further down the cord "
        "swells and tapers. Noise alone gives a few percent",
        "compression_status",
        (-15.0, 100.0),
        "Fehlings et al., Spine 1999;24:605-613",
        PERCENT,
    ),
    status(
        "compression_status",
        "the comparison of the cord with itself above and below",
        *CODES,
        S.CORD_QUESTIONED,
        S.NO_NEIGHBOUR,
        S.NOT_IN_VIEW,
        S.NOT_DEFINED_AT_LEVEL,
    ),
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
