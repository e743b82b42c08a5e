"""What flags, codes and columns mean, in the words of the data dictionary."""

from __future__ import annotations

import re

from wirbel.core.dictionary import TABLES, Column
from wirbel.core.plausibility.scan_flags import FILE_FLAGS, LEVEL_FLAGS, SCAN_FLAGS
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
