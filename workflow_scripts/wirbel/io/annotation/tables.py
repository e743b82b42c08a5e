"""The tables of an annotation: agreement of the sources, scans in the order of their worth, failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wirbel.core.fusion.agreement import worth_correcting
from wirbel.io.tabular.tables import write_rows

Result = dict[str, Any]
"""What became of a scan: `scan_id`, and `failure` or `rows`, `corrected`, `kept`."""
AGREEMENT = ("scan_id", "structure", "source", "dice", "undecided", "sources")
TO_CORRECT = ("rank", "scan_id", "agreement", "worst_structure", "worst_dice", "corrected")
FAILURES = ("scan_id", "reason", "detail")


def write_tables(output: Path, results: list[Result]) -> None:
    """Write the tables of all scans."""
    good = [result for result in results if "failure" not in result]
    rows = [{"scan_id": r["scan_id"], **row} for r in good for row in r["rows"]]
    corrected = {result["scan_id"]: result["corrected"] for result in good}
    failures = [
        {"scan_id": r["scan_id"], "reason": r["failure"][0], "detail": r["failure"][1]}
        for r in results
        if "failure" in r
    ]
    write_rows(output / "agreement.csv", AGREEMENT, map(_cells, rows))
    write_rows(
        output / "to_correct.csv", TO_CORRECT, map(_cells, worth_correcting(rows, corrected))
    )
    write_rows(output / "failures.csv", FAILURES, failures)


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: round(v, 4) if isinstance(v, float) else v for name, v in row.items()}
    return {name: str(v).lower() if isinstance(v, bool) else v for name, v in told.items()}
