"""Rows of manifests and records, read quickly: only the columns that counting needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wirbel.manifests.records import FAILED, OK, SEAL_MARK, manifest_file, records_file
from wirbel.plan.stage_plan import StagePlan


@dataclass(frozen=True)
class Row:
    """What counting needs of a record."""

    status: str
    reason: str
    seconds: float


def failed_rows(output_dir: Path, stage: str, batch: str) -> list[str]:
    """Return the reason of every scan that failed in a manifest."""
    table = _table(manifest_file(output_dir, stage, batch))
    return [row["reason"] for row in table if row["status"] == FAILED]


def seconds_in(output_dir: Path, stage: str, batch: str) -> list[float]:
    """Return the seconds that each scan with a result took, by a manifest."""
    table = _table(manifest_file(output_dir, stage, batch))
    return [float(row["seconds"]) for row in table if row["status"] == OK]


def rows_so_far(output_dir: Path, stage: StagePlan, batch: str) -> list[Row]:
    """Return what a stage at work has done of a batch under its present plan."""
    found = []
    for row in _table(records_file(output_dir, batch)):
        mine = row.get("stage") == stage.stage and row.get("status") in (OK, FAILED)
        if mine and row["key"] == stage.key(row["source"]):
            found.append(Row(row["status"], row["reason"], float(row["seconds"])))
    return found


def _table(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a table of ours; cells hold neither tabs nor line ends. Nothing where there is no file."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return
    if lines[0].startswith(SEAL_MARK):
        del lines[0]
    names = lines[0].split("\t")
    for line in lines[1:]:
        cells = line.split("\t")
        if len(cells) == len(names):
            yield dict(zip(names, cells, strict=True))
