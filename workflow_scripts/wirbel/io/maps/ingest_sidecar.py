"""What the stage `ingest` says of a scan that it made, in the sidecar beside the scan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wirbel.core.plausibility.scan_flags import (
    NO_OVERLAP,
    NOT_JOINED,
    STATIONS_LEFT,
    STATIONS_MISSING,
)
from wirbel.errors import REASONS
from wirbel.io.dataset.sidecar_facts import sidecar_path
from wirbel.io.sidecars import read_json

NOTES, WARNINGS = "IngestNotes", "IngestWarnings"
STATION, ALONE_BECAUSE = "Station", "NotJoined"
"""Of a station that is a scan of its own: its name, and why it does not fit to the one above."""
ABOVE = "StationAbove"
"""The station above that it overlaps, with the motion from one to the other."""
STATIONS, MISSING, SEAMS = "Stations", "MissingStations", "Seams"
OF_STATIONS = (STATIONS_MISSING, STATIONS_LEFT, NOT_JOINED)
"""Flags that follow from a sidecar; other ones stand in it."""


def ingest_sidecar(scan: str | Path, anat: Path) -> dict[str, Any]:
    """Return the sidecar of a scan that was made into the folder `anat`; {} of any other scan."""
    sidecar = Path(sidecar_path(str(scan)))
    return read_json(sidecar) if sidecar.parent == anat and sidecar.exists() else {}


def ingest_flags(sidecar: Mapping[str, Any]) -> list[str]:
    """Return the flags of a scan by its sidecar.

    Examples
    --------
    >>> ingest_flags({"IngestWarnings": ["not_t2w"], "MissingStations": {"neck": "no_overlap"}})
    ['not_t2w', 'stations_left']
    """
    told = ingest_in_words(sidecar)
    return [*sidecar.get(WARNINGS, []), *(flag for flag in OF_STATIONS if flag in told)]


def ingest_in_words(sidecar: Mapping[str, Any]) -> dict[str, str]:
    """Return flag -> what the sidecar says of it.

    Examples
    --------
    >>> ingest_in_words({"MissingStations": {"neck": "no_series"}})
    {'stations_missing': 'neck: no series fits the rules'}
    """
    stations = sidecar.get(MISSING, {})
    told = {
        STATIONS_MISSING: [
            f"{n}: {REASONS.get(r, r)}" for n, r in stations.items() if r != NO_OVERLAP
        ],
        STATIONS_LEFT: [name for name, reason in stations.items() if reason == NO_OVERLAP],
        NOT_JOINED: [sidecar[ALONE_BECAUSE]] if ALONE_BECAUSE in sidecar else [],
        "files_left_out": sidecar.get(NOTES, []),
    }
    return {flag: "; ".join(texts) for flag, texts in told.items() if texts}
