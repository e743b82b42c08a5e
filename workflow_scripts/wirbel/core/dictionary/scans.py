"""The table of scans: one row per scan, failed ones included."""

from __future__ import annotations

from wirbel.core.dictionary.column import (
    BOOLEAN,
    INTEGER,
    MILLIMETRES,
    NUMBER,
    STRING,
    Column,
)
from wirbel.core.dictionary.shared import IDENTITY, LEVEL_NAMING, status, volume
from wirbel.errors import REASONS

SCANS = (
    *IDENTITY,
    Column(
        "scan_status",
        STRING,
        "Whether the scan was measured",
        "ok, or the reason code under which the table of failures lists the scan",
        codes={"ok": "measured", **REASONS},
    ),
    Column(
        "vertebrae_found",
        INTEGER,
        "Number of presacral vertebrae found",
        "Vertebrae with at least one voxel in the vertebra map, the sacrum left out",
        interval=(0, 25),
        status="scan_status",
    ),
    Column(
        "discs_found",
        INTEGER,
        "Number of discs found",
        "Discs with at least one voxel in the vertebra map",
        interval=(0, 25),
        status="scan_status",
    ),
    Column(
        "first_level",
        STRING,
        "Uppermost vertebra found",
        "Its level; empty when vertebrae_found is 0",
        status="vertebrae_found",
    ),
    Column(
        "last_level",
        STRING,
        "Lowest presacral vertebra found",
        "Its level; empty when vertebrae_found is 0",
        status="vertebrae_found",
    ),
    *LEVEL_NAMING,
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
        "Flags separated by semicolons, empty when there are none: gap (a vertebra seems to be missing), "
        "enumeration_anomaly (one more or one fewer vertebra than usual between both ends), "
        "enumeration_implausible (more than that), too_many_vertebrae, sizes_disagree (sizes suggest other "
        "names), no_bodies",
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
    status("canal_status", "the canal", "ok", "touches_border", "absent"),
    status("cord_status", "the cord", "ok", "touches_border", "absent"),
    status("sacrum_status", "the sacrum", "ok", "touches_border", "absent"),
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
)
