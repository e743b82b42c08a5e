"""What the JSON file of a converted scan says: the facts that may be told, what was odd, and how stations fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wirbel.core.plausibility.scan_flags import NO_OVERLAP
from wirbel.core.stitching.seams import Seam
from wirbel.core.stitching.stations import Stitched
from wirbel.errors import ScanError
from wirbel.ingest.delivery import Converted
from wirbel.ingest.stations import Stations
from wirbel.io.maps.ingest_sidecar import (
    ABOVE,
    ALONE_BECAUSE,
    MISSING,
    NOTES,
    SEAMS,
    STATION,
    STATIONS,
    WARNINGS,
)

MOTION_DIGITS = 6
"""A millionth of a millimetre, and of a turn."""


def sidecar_of(scan: Converted, warnings: Sequence[str]) -> dict[str, Any]:
    """Return what is told of a converted scan, and which of its checks are warnings."""
    return _told("dcm2niix", scan.facts, scan.notes, warnings)


def station_sidecar(
    stations: Stations, result: Stitched, warnings: Sequence[str]
) -> dict[str, Any]:
    """Return what is told of a scan that was put together: what all its stations share, and the seams."""
    used = [stations.found[name] for name in result.names]
    shared = {k: v for k, v in used[0].facts.items() if all(one.facts.get(k) == v for one in used)}
    notes = list(dict.fromkeys(note for one in used for note in one.notes))
    missing = {**stations.missing, **dict.fromkeys(result.apart, NO_OVERLAP)}
    told = _told(stations.software, shared, notes, warnings) | {STATIONS: list(result.names)}
    told |= {MISSING: missing} if missing else {}
    return told | {SEAMS: [seam.as_row() for seam in result.seams]}


def lone_sidecar(
    stations: Stations, seam: tuple[Seam, np.ndarray] | ScanError | None, warnings: Sequence[str]
) -> dict[str, Any]:
    """Return what is told of a station that is a scan of its own, and of the seam to the one above."""
    own = stations.found[stations.alone]
    told = _told(stations.software, own.facts, own.notes, warnings) | {STATION: stations.alone}
    if isinstance(seam, ScanError):
        return told | {ALONE_BECAUSE: seam.detail}
    if seam is None:
        return told
    row, motion = seam
    return told | {ABOVE: {**row.as_row(), "motion": motion.round(MOTION_DIGITS).tolist()}}


def _told(
    software: str, facts: Mapping[str, Any], notes: Sequence[str], warnings: Sequence[str]
) -> dict[str, Any]:
    told = {**({"ConversionSoftware": software} if software else {}), **facts}
    told |= {NOTES: list(notes)} if notes else {}
    return told | ({WARNINGS: list(warnings)} if warnings else {})
