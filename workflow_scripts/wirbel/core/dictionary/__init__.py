"""Every column of every cohort table, declared once, in one file per table.

The tables' columns, their order, types and rounding, and the JSON dictionaries beside the tables all
come from `TABLES`. To add a measure: declare its column in its table's file, and put its value under the
same name into the row that `wirbel.core.measures` makes.
"""

from __future__ import annotations

from typing import Any

from wirbel.core.dictionary.column import BOOLEAN, INTEGER, NUMBER, STRING, Column
from wirbel.core.dictionary.derived.changes import change_table
from wirbel.core.dictionary.derived.scores import NORMS, REFERENCE, score_table
from wirbel.core.dictionary.discs import DISCS
from wirbel.core.dictionary.failures import FAILURES
from wirbel.core.dictionary.levels import LEVELS
from wirbel.core.dictionary.plausibility import PLAUSIBILITY
from wirbel.core.dictionary.scans import SCANS
from wirbel.core.dictionary.shared import IDENTITY, REVIEW
from wirbel.core.dictionary.vertebrae import VERTEBRAE

__all__ = [
    "BOOLEAN",
    "CHANGES",
    "DERIVED",
    "IDENTITY",
    "INTEGER",
    "MEASURED",
    "NORMS",
    "NUMBER",
    "PLAUSIBILITY",
    "SCORES",
    "STRING",
    "TABLES",
    "Column",
    "clean_row",
    "dictionary",
]

MEASURED: dict[str, tuple[Column, ...]] = {
    "scans": (*SCANS, REVIEW, *PLAUSIBILITY),
    "vertebrae": (*VERTEBRAE, REVIEW, *PLAUSIBILITY),
    "discs": (*DISCS, REVIEW, *PLAUSIBILITY),
    "levels": (*LEVELS, REVIEW, *PLAUSIBILITY),
}
"""Table of measures -> its columns."""
SCORES = {table: f"{table}_z" for table in MEASURED}
"""Table of measures -> that of their scores."""
CHANGES = {table: f"{table}_changes" for table in MEASURED}
"""Table of measures -> that of their changes between sessions."""
DERIVED = {
    **{SCORES[table]: score_table(columns) for table, columns in MEASURED.items()},
    **{CHANGES[table]: change_table(columns) for table, columns in MEASURED.items()},
    NORMS: REFERENCE,
}
"""Tables that are computed from those of measures -> their columns."""
TABLES: dict[str, tuple[Column, ...]] = {**MEASURED, **DERIVED, "failures": (*FAILURES, REVIEW)}
"""Table name -> its columns, in their order; those of `participants.tsv` follow in the cohort's tables."""


def clean_row(table: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` with exactly the table's columns that it has, in their order, cleaned.

    Raises KeyError when `values` has a key that no column declares.
    """
    unknown = values.keys() - {column.name for column in TABLES[table]}
    if unknown:
        raise KeyError(f"no column of table {table!r} declares {', '.join(sorted(unknown))}")
    return {c.name: c.clean(values[c.name]) for c in TABLES[table] if c.name in values}
