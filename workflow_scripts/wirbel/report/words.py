"""What flags, codes and columns mean, in the words of the data dictionary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wirbel.core.dictionary import TABLES, Column
from wirbel.core.plausibility.scan_flags import (
    FILE_FLAGS,
    LEVEL_FLAGS,
    NO_OVERLAP,
    NOT_JOINED,
    SCAN_FLAGS,
    STATIONS_LEFT,
    STATIONS_MISSING,
)
from wirbel.errors import REASONS

UNITS = {
    "mm": "mm",
    "mm2": "mm²",
    "mm3": "mm³",
    "deg": "°",
    "percent": "%",
    "1": "",
}
UNIT_ENDS = re.compile(r"_(mm|mm2|mm3|deg|percent|ratio)$")
PLAIN = {"ap": "AP", "rl": "RL", "csf": "CSF", "s1": "S1"}


def flag_meanings() -> dict[str, str]:
    """Return every flag of a scan, its levels and its file with its meaning."""
    return {**SCAN_FLAGS, **LEVEL_FLAGS, **FILE_FLAGS}


def ingest_in_words(sidecar: Mapping[str, Any]) -> dict[str, str]:
    """Return flag -> what the sidecar of a converted scan says of it.

    Examples
    --------
    >>> ingest_in_words({"MissingStations": {"neck": "no_series"}})
    {'stations_missing': 'neck: no series fits the rules'}
    """
    stations = sidecar.get("MissingStations", {})
    told = {
        STATIONS_MISSING: [
            f"{n}: {REASONS.get(r, r)}" for n, r in stations.items() if r != NO_OVERLAP
        ],
        STATIONS_LEFT: [name for name, reason in stations.items() if reason == NO_OVERLAP],
        NOT_JOINED: [sidecar["NotJoined"]] if "NotJoined" in sidecar else [],
        "files_left_out": sidecar.get("IngestNotes", []),
    }
    return {flag: "; ".join(texts) for flag, texts in told.items() if texts}


def reason_meanings() -> dict[str, str]:
    """Return every reason of a failure with its meaning."""
    return dict(REASONS)


def code_meanings() -> dict[str, dict[str, str]]:
    """Return column -> code -> meaning, of all columns of codes."""
    columns = (column for table in TABLES.values() for column in table)
    return {column.name: dict(column.codes) for column in columns if column.codes}


def title(name: str) -> str:
    """Return a column's name as a heading: without its unit, in words."""
    words = UNIT_ENDS.sub("", name).split("_")
    told = " ".join(PLAIN.get(word, word) for word in words)
    return told[:1].upper() + told[1:]


def unit(column: Column) -> str:
    """Return a column's unit as people write it."""
    return UNITS.get(column.units, column.units)
