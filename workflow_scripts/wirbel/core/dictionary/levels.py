"""The table of levels: canal and cord at the height of each vertebra of a scan."""

from __future__ import annotations

from wirbel.core.dictionary.shared import IDENTITY, LABEL, LEVEL, LEVEL_NAMING, status, volume

_LEVEL_SHARE = (
    "at this level: the voxels nearer to this vertebral body's centroid than to any other's; beyond the "
    "first and the last body a mirror image of its neighbour takes the rest"
)
LEVELS = (
    *IDENTITY,
    LABEL,
    LEVEL,
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
    status("canal_status", "the canal at this level", "ok", "touches_border", "absent"),
    status("cord_status", "the cord at this level", "ok", "touches_border", "absent"),
)
