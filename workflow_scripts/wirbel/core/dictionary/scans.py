"""The table of scans: one row per scan, failed ones included."""

from __future__ import annotations

from wirbel.core.dictionary.column import (
    BOOLEAN,
    INTEGER,
    MILLIMETRES,
    NUMBER,
    PERCENT,
    STRING,
    Column,
)
from wirbel.core.dictionary.families import ratio, status, volume
from wirbel.core.dictionary.shared import IDENTITY
from wirbel.core.dictionary.topics import agreement, fractures, quality
from wirbel.core.dictionary.topics.alignment import ALIGNMENT
from wirbel.core.dictionary.topics.canal import CONUS
from wirbel.core.dictionary.topics.naming import ALTERNATIVE, ENUMERATION, LEVEL_NAMING, SET_ASIDE
from wirbel.core.dictionary.topics.signals import VBQ
from wirbel.core.measures import status as S
from wirbel.core.plausibility.scan_flags import FILE_FLAGS, LEVEL_FLAGS, SCAN_FLAGS, listed
from wirbel.errors import REASONS

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
    *ENUMERATION,
    *fractures.OF_SCANS,
    *VBQ,
    *CONUS,
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
    *quality.OF_SCANS,
    *agreement.OF_SCANS,
)
