"""The tables of changes: each measure of a later session less that of the person's first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wirbel.core.dictionary.column import NUMBER, STRING, Column
from wirbel.core.dictionary.derived.scores import REVIEWED, keys_of

DETECTABLE = (
    "The smallest detectable change is 1.96 * sqrt(2) * SEM (standard error of measurement): what 95 % of the "
    "differences between repeated scans stay below, in the level's region of the spine (Difference95ByRegion in the "
    "dictionary of the table of measures; Difference95Resliced where that is larger). These are figures of true label "
    "maps of simulated persons: errors of the segmentation come on top"
)
SMALLER = "The smaller confidence of both scans: where one of them is named wrongly, different vertebrae are compared"
OF_FIRST = "As review, of the scan that baseline_scan_id names"
WEIR = "Weir, J Strength Cond Res 2005;19:231-240 (minimal difference from the SEM)"
ONCE = Column(
    "measured_once",
    STRING,
    "Measures with a complete value in one of the two scans only",
    "Their columns, separated by semicolons. Every other missing change is that of a measure that is complete in "
    "neither: the status columns in the table of measures say why",
)
FIRST = (
    Column(
        "baseline_session_id",
        STRING,
        "The person's first session",
        "The first by name, numbers by size, that shows this level; the change is that from there to session_id",
        "BIDS file name",
    ),
    Column(
        "baseline_scan_id", STRING, "Scan of the first session", "Its scan_id", "BIDS file name"
    ),
)


def change_table(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns of the table of changes beside a table of measures."""
    measures = (c for c in columns if c.is_scored)
    confidence = (
        replace(c, definition=SMALLER, status="baseline_scan_id")
        for c in columns
        if c.name == "level_confidence"
    )
    reviews = [c for c in columns if c.name == REVIEWED]
    first = (replace(c, name=f"baseline_{c.name}", definition=OF_FIRST) for c in reviews)
    told = (*map(_change, measures), CHANGED, ONCE, *reviews, *first)
    return (*keys_of(columns), *FIRST, *confidence, *told)


CHANGED = Column(
    "changed_columns",
    STRING,
    "Measures that changed by more than repeated measuring explains",
    f"Columns whose change is larger than the smallest detectable one, separated by semicolons. {DETECTABLE}. "
    f"With many "
    "measures in a row, one in twenty is named by chance",
    WEIR,
)


def _change(column: Column) -> Column:
    return Column(
        f"{column.name}_change",
        NUMBER,
        f"Change of {column.name}",
        f"{column.name} in session_id less that in baseline_session_id; both complete (status ok)",
        column.source,
        column.units,
        decimals=column.decimals,
        status=ONCE.name,
        compared=False,
    )
