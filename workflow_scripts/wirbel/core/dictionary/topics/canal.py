"""The columns of canal and cord beyond their sections: the narrowest place, compression, where the cord ends."""

from __future__ import annotations

from wirbel.core.dictionary.column import (
    INTEGER,
    NUMBER,
    PERCENT,
    SQUARE_MILLIMETRES,
    STRING,
    Column,
)
from wirbel.core.dictionary.families import ratio, size, status
from wirbel.core.measures import status as S

CORRECTED = (
    "after De Leener et al., NeuroImage 2017;145:24-43 (sections at right angles to the centreline)"
)
CODES = (S.OK, S.TOUCHES_BORDER, S.ABSENT, S.SURFACE_INCOMPLETE, S.FORM_ASSUMED)
ALONG = (
    "from the middle of the vertebral body to as far below the disc, or less far, but at least to the disc, where the "
    "border of the scan cuts the canal; where it cuts a flank, the other one tells the middle; {} at every position "
    "of the canal's smoothed centreline, by counting voxels with weights that fall off within 3 mm up and down "
    "(Hann). Noise makes the smallest of many values a little smaller than a single section would be"
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
CONUS = (
    Column(
        "conus_level",
        STRING,
        "Where the spinal cord ends",
        "The vertebra or disc beside the lowest place on the canal's centreline where the cord's area is 12 mm2 or "
        "more. Questioned where what is labelled as cord is larger than 130 mm2 somewhere or goes on below L3",
        "after Saifuddin et al., Spine 1998;23:1452-1456 (level of the conus in MRI)",
        status="conus_status",
    ),
    status("conus_status", "the end of the cord", S.OK, S.ABSENT, S.NOT_IN_VIEW, S.CORD_QUESTIONED),
)
