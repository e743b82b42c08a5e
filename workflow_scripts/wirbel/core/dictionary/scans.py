"""The table of scans: one row per scan, failed ones included."""

from __future__ import annotations

from wirbel.core.dictionary.agreement import OF_SCANS
from wirbel.core.dictionary.column import (
    BOOLEAN,
    INTEGER,
    MILLIMETRES,
    NUMBER,
    PERCENT,
    STRING,
    Column,
)
from wirbel.core.dictionary.coronal import COBB, CORONAL
from wirbel.core.dictionary.shared import (
    ALTERNATIVE,
    IDENTITY,
    LEVEL_NAMING,
    SET_ASIDE,
    angle,
    ratio,
    size,
    status,
    volume,
)
from wirbel.core.dictionary.signals import VBQ
from wirbel.core.measures import status as S
from wirbel.core.plausibility.scan_flags import FILE_FLAGS, LEVEL_FLAGS, SCAN_FLAGS, listed
from wirbel.errors import REASONS

GENANT = "Genant et al., J Bone Miner Res 1993;8:1137-1148"
PARTIAL = (
    "of the graded vertebrae only when deformity_status is not_in_view: then not all from T4 to L4 could be graded. By "
    "measurement alone"
)
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
        "Meyerding, Surg Gynecol Obstet 1932;54:371-377",
    ),
    Column(
        "largest_slip_level",
        STRING,
        "Where the largest slip is",
        "The level of its disc",
        "Meyerding, Surg Gynecol Obstet 1932;54:371-377",
        status="slip_status",
    ),
    status("slip_status", "the search for the largest slip", S.OK, S.NOT_IN_VIEW),
    size(
        "spine_length_mm",
        "Length of the spine, supine",
        "Length of the canal's smoothed centreline from beside the disc below C2 to beside the upper endplate of "
        "the sacrum",
        "spine_length_status",
        (300.0, 800.0),
    ),
    status("spine_length_status", "the length", S.OK, S.NOT_IN_VIEW, S.VERTEBRA_MISSING),
    Column(
        "presacral_vertebrae",
        INTEGER,
        "Number of presacral vertebrae",
        "Vertebrae above the sacrum, C1 counted although it has no label; 24 in most people. Only when C2 and "
        "the sacrum are in view; as good as the level names",
        "Thawait et al., Radiol Clin North Am 2012;50:587-598",
        interval=(22, 26),
        status="enumeration_status",
    ),
    Column(
        "enumeration_type",
        STRING,
        "How many vertebrae each region has",
        "Cervical, thoracic and lumbar, such as C7 T12 L5",
        "Thawait et al., Radiol Clin North Am 2012;50:587-598",
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
        "Thawait et al., Radiol Clin North Am 2012;50:587-598",
    ),
    Column(
        "vertebrae_graded",
        INTEGER,
        "Number of vertebrae with a grade of deformity",
        "Vertebrae from T4 to L4 whose genant_status is ok",
        GENANT,
        interval=(0, 14),
        status="scan_status",
    ),
    Column(
        "fracture_count",
        INTEGER,
        "Number of vertebrae with a deformity",
        f"Vertebrae whose genant_grade is above 0; {PARTIAL}",
        GENANT,
        interval=(0, 14),
        status="deformity_status",
    ),
    Column(
        "spinal_deformity_index",
        INTEGER,
        "Spinal deformity index",
        f"Sum of genant_grade; {PARTIAL}",
        "Crans et al., Bone 2005;37:175-179",
        interval=(0, 42),
        status="deformity_status",
    ),
    status("deformity_status", "the grading from T4 to L4", S.OK, S.NOT_IN_VIEW),
    *VBQ,
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
    Column(
        "bodies_complete",
        INTEGER,
        "Number of vertebral bodies wholly in view",
        "Bodies without a voxel at the border of the scan",
        interval=(0, 25),
        status="scan_status",
    ),
    ratio(
        "coverage_percent",
        "Coverage of the spine by the field of view",
        "100 * (bodies_complete + 1 when the sacrum and the disc on it are in view) / 24: the bodies of C2 to L5, "
        "and S1; for a spine with more vertebrae over their number",
        "scan_status",
        (0.0, 100.0),
        units=PERCENT,
    ),
)

SCANS = (
    *IDENTITY,
    Column(
        "scan_status",
        STRING,
        "Whether the scan was measured",
        "ok, or the reason code under which the table of failures lists the scan",
        codes={S.OK: "measured", **REASONS},
    ),
    Column(
        "model",
        STRING,
        "Networks that made the maps",
        "Their name, or the last part of their folder's; by kind (semantic, instance, labelling) where they differ. "
        "(toy weights) marks networks trained almost only on simulated scans, whose numbers are for trying the "
        "software; unknown: the maps came without this information. Digests stand in the maps' sidecars",
        status="scan_status",
    ),
    Column(
        "wirbel_version",
        STRING,
        "Version of Wirbel that made the maps",
        "As in the maps' sidecars; unknown: the maps came without this information",
        status="scan_status",
    ),
    Column(
        "flags",
        STRING,
        "What is odd about the scan's file, and what contradicts anatomy in its result",
        f"Flags separated by semicolons, empty when there are none. Of the file: {listed(FILE_FLAGS)}. Of the result, "
        "from the final label maps and the measures (a scan in which nothing can be right fails with "
        f"implausible_result): {listed(SCAN_FLAGS)}",
        status="scan_status",
    ),
    Column(
        "settings_fingerprint",
        STRING,
        "Settings, networks and code that made the row",
        "Hash of all that decided the results besides the scan; work/plans/<hash>.json holds it in full. Rows of one "
        "table have the same, unless mixed_settings was set",
    ),
    Column(
        "vertebrae_found",
        INTEGER,
        "Number of presacral vertebrae whose body is in view",
        "Vertebrae with a body that the border cuts off neither above nor below, in front or behind; a flank may lie "
        "beyond the outer slices, and so may processes",
        interval=(0, 25),
        status="scan_status",
    ),
    Column(
        "vertebrae_in_view",
        INTEGER,
        "Number of presacral vertebrae whose body is in view, wholly or in part",
        "The scan's rows in the table of vertebrae. One that shows only processes has a number in the vertebra map, "
        "but no row",
        interval=(0, 25),
        status="scan_status",
    ),
    Column(
        "discs_found",
        INTEGER,
        "Number of discs in view",
        "Discs that the border cuts off neither above nor below, in front or behind",
        interval=(0, 25),
        status="scan_status",
    ),
    Column(
        "discs_in_view",
        INTEGER,
        "Number of discs of which any part is in view",
        "Discs with at least one voxel in the vertebra map: the scan's rows in the table of discs",
        interval=(0, 25),
        status="scan_status",
    ),
    Column(
        "first_level",
        STRING,
        "Uppermost vertebra in view",
        "Its level; empty when vertebrae_in_view is 0",
        status="vertebrae_in_view",
    ),
    Column(
        "last_level",
        STRING,
        "Lowest presacral vertebra in view",
        "Its level; empty when vertebrae_in_view is 0",
        status="vertebrae_in_view",
    ),
    *LEVEL_NAMING,
    ALTERNATIVE,
    SET_ASIDE,
    Column(
        "levels_agree",
        BOOLEAN,
        "Whether counting from both ends gives the same names",
        "Given when both ends are in view; empty otherwise",
        status="level_method",
    ),
    Column(
        "level_flags",
        STRING,
        "What is unusual about the levels",
        f"Flags separated by semicolons, empty when there are none. {listed(LEVEL_FLAGS)}. The last two only with "
        "level_method labelling",
    ),
    volume(
        "canal_volume_mm3",
        "spinal canal without the cord in the whole scan",
        "label 61",
        "canal_status",
        (0.0, 300000.0),
    ),
    volume(
        "cord_volume_mm3",
        "spinal cord in the whole scan",
        "label 60",
        "cord_status",
        (0.0, 60000.0),
    ),
    volume("sacrum_volume_mm3", "sacrum", "label 26", "sacrum_status", (0.0, 450000.0)),
    status("canal_status", "the canal", S.OK, S.TOUCHES_BORDER, S.ABSENT),
    status("cord_status", "the cord", S.OK, S.TOUCHES_BORDER, S.ABSENT),
    status("sacrum_status", "the sacrum", S.OK, S.TOUCHES_BORDER, S.ABSENT),
    *ALIGNMENT,
    Column(
        "in_plane_spacing_mm",
        NUMBER,
        "Voxel size within slices",
        "Mean of the two smaller voxel sizes",
        "image header",
        MILLIMETRES,
        (0.1, 3.0),
        status="scan_status",
        compared=False,
    ),
    Column(
        "slice_spacing_mm",
        NUMBER,
        "Distance between slices",
        "The largest voxel size",
        "image header",
        MILLIMETRES,
        (0.1, 8.0),
        status="scan_status",
        compared=False,
    ),
    *OF_SCANS,
)
