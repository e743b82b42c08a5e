"""Rows of a batch's list: made of the scans found, written, read, and compared with those of the last run.

A row has a scan's values in the order of `wirbel.manifests.batches.COLUMNS`.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from wirbel.io.dataset.presence import absence
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.escapes import unescape
from wirbel.manifests.batches import COLUMNS, batch_file, list_rows
from wirbel.manifests.seals import digest_of_rows


@dataclass(frozen=True)
class ListChange:
    """Differences between a batch's list on disk and the data set; names of scans."""

    new: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


def rows_by_scan(found: list[FoundScan], problems: Mapping[str, str]) -> dict[str, tuple]:
    """Return a list's row per scan; if several files have one name, the first, marked as faulty."""
    rows = {}
    for scan_id, claims in groupby(found, attrgetter("scan_id")):  # sorted by it
        first, *others = claims
        rows[scan_id] = (*first, _problem(first, others) or problems.get(scan_id, ""))
    return rows


def _problem(first: FoundScan, others: list[FoundScan]) -> str:
    if not others:
        return ""
    names = [Path(scan.path).name for scan in (first, *others)]
    return f"duplicate: claimed by {', '.join(names)}; keep one of them"


def as_they_were(rows: list[tuple], before: dict[str, list[str]]) -> tuple[list, list[str]]:
    """Return the rows, with scans whose content is missing as they were before, and the names of these
    scans.
    """
    kept, absent = [], []
    for row in rows:
        old = before.get(row[0])
        if old and old[5:7] != [str(row[5]), str(row[6])] and old[5] != "-1" and absence(row[4]):
            row = (*row[:5], int(old[5]), int(old[6]), old[7])
            absent.append(row[0])
        kept.append(row)
    return kept, absent


def list_digest(rows: list[tuple]) -> str:
    """Return the digest of a list with these rows."""
    return digest_of_rows((r[0], os.path.basename(r[4]), *r[5:8]) for r in rows)


def list_as_text(rows: list[tuple]) -> str:
    """Return a list with these rows as text."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
    writer.writerows([COLUMNS, *list_rows(rows)])
    return stream.getvalue()


def list_on_disk(output_dir: Path, batch: str) -> str | None:
    """Return the text of a list as it lies on the disk; None if there is none."""
    path = batch_file(output_dir, batch)
    return path.read_bytes().decode() if path.exists() else None


def rows_in(text: str | None) -> list[list[str]]:
    """Return the rows in the text of a list."""
    rows = list(csv.reader(io.StringIO(text or "", newline=""), delimiter="\t"))[1:]
    return [list(map(unescape, row)) for row in rows]


def change_between(before: dict[str, list[str]], rows: list[tuple]) -> ListChange:
    """Return how the rows of a list differ from those before, scan by scan."""
    now = {row[0]: [str(cell) for cell in row] for row in rows}
    changed = [scan for scan in before.keys() & now.keys() if _differ(before[scan], now[scan])]
    return ListChange(
        frozenset(now.keys() - before.keys()),
        frozenset(changed),
        frozenset(before.keys() - now.keys()),
    )


def _differ(before: list[str], now: list[str]) -> bool:
    """Return True if two rows of a scan differ in more than the folder of the data set."""
    names = os.path.basename(before[4]), os.path.basename(now[4])
    return names[0] != names[1] or before[:4] + before[5:] != now[:4] + now[5:]
