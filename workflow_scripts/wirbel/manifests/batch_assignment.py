"""Which scan belongs to which batch: decided once, extended, never reshuffled.

`work/batches/assignment.tsv` has every scan that was ever seen and its batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wirbel.io.atomic import write_text_if_changed
from wirbel.io.escapes import escape, unescape
from wirbel.io.tabular.tables import read_rows, rows_as_text


def read_assignment(output_dir: str | Path) -> dict[str, str]:
    """Return scan -> batch, in the order in which scans were first seen."""
    path = _path(output_dir)
    rows = read_rows(path) if path.exists() else []
    return {unescape(row["scan_id"]): row["batch"] for row in rows}


def write_assignment(output_dir: str | Path, assignment: dict[str, str]) -> None:
    """Write the assignment if it changed."""
    path = _path(output_dir)
    rows = [{"scan_id": escape(scan_id), "batch": batch} for scan_id, batch in assignment.items()]
    write_text_if_changed(path, rows_as_text(path, ("scan_id", "batch"), rows))


def extended(
    assignment: dict[str, str], scans: Mapping[str, str], batch_size: int
) -> dict[str, str]:
    """Return the assignment with new batches of `batch_size` for those of `scans` that have none.

    `scans` is scan -> file. Scans of one file, the stations of a session, stay in one batch, which may exceed
    `batch_size` for that.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    number = 1 + max((int(batch[1:]) for batch in assignment.values()), default=0)
    of_file = {file: assignment[scan] for scan, file in scans.items() if scan in assignment}
    found, filled = dict(assignment), 0
    for scan, file in scans.items():
        if scan in found:
            continue
        if file not in of_file:
            if filled >= batch_size:
                number, filled = number + 1, 0
            of_file[file] = f"b{number:05d}"
        found[scan] = of_file[file]
        filled += of_file[file] == f"b{number:05d}"
    return found


def _path(output_dir: str | Path) -> Path:
    return Path(output_dir, "work", "batches", "assignment.tsv")
