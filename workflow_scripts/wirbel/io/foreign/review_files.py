"""The files that readers export from the QC page: `reviews.tsv`."""

from __future__ import annotations

from pathlib import Path

from wirbel.core.reviewing.reviews import DECISIONS, RELABEL, Decision
from wirbel.io.foreign.foreign_tables import read_foreign_table

NEEDED = ("scan_id", "decision")
COLUMNS = ("scan_id", "decision", "shift", "comment", "reader", "reviewed_at")


def read_reviews(path: str | Path) -> dict[str, Decision]:
    """Return scan -> decision; of several rows about a scan the last counts.

    Spreadsheets may have saved the file anew. A comment may begin with a quote that is never closed. Raises ValueError
    naming the file, the line, what was expected and what was found.
    """
    table = read_foreign_table(path)
    if missing := [name for name in NEEDED if name not in table.columns]:
        raise ValueError(
            f"{path} has no column {missing[0]!r}; expected {', '.join(COLUMNS)}, with tabs"
        )
    if table.faults:
        raise ValueError(f"{path}, {table.faults[0]}; expected {', '.join(COLUMNS)}, with tabs")
    rows = zip(table.lines, table.rows, strict=True)
    return {row["scan_id"]: _decision(path, line, row) for line, row in rows}


def _decision(path: str | Path, line: int, row: dict[str, str]) -> Decision:
    decision = row["decision"].lower()
    if decision not in DECISIONS:
        raise ValueError(
            f"{path}, line {line}: decision {row['decision']!r}; expected {', '.join(DECISIONS)}"
        )
    text = row.get("shift", "")
    try:
        shift = int(text) if decision == RELABEL else 0
    except ValueError:
        shift = 0
    if decision == RELABEL and not shift:
        raise ValueError(
            f"{path}, line {line}: shift {text!r}; expected by how many levels all names move down, such as 1 or -1"
        )
    return Decision(decision, shift, row.get("comment", ""), row.get("reader", ""))
