"""Which scans there are now, and what that means for the batches: looked up once per start, by the main process.

`plan_batches` only reads. It walks the data set once (every scan is stat'ed, so that a corrected file in an
unchanged folder is noticed), and compares what it finds with the lists that earlier runs left in
`work/batches`. The run then carries the plan out (`BatchPlan.write`); a dry run tells it and writes nothing.

`discovery.json` remembers a fingerprint over all scans' names, paths, sizes and time stamps: while it is the
same, no list is opened.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from wirbel.io.atomic import write_text
from wirbel.io.bids import find_scans
from wirbel.io.escapes import unescape
from wirbel.io.scan_names import FoundScan
from wirbel.runner.assignment import extended, read_assignment, write_assignment
from wirbel.runner.batches import COLUMNS, batch_file, list_batches, list_rows
from wirbel.runner.chain import STAGES
from wirbel.runner.records import manifest_file

FINGERPRINT_FILE = "discovery.json"


@dataclass(frozen=True)
class ListChange:
    """What differs between a batch's list on the disk and the data set; names of scans."""

    new: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BatchPlan:
    """What the lists in `work/batches` have to become."""

    output_dir: Path
    fingerprint: str
    sizes: dict[str, int]
    """Number of scans of every batch that holds any, sorted by batch."""
    lists: dict[str, str] = field(default_factory=dict)
    """New content of the lists that are new or changed."""
    changes: dict[str, ListChange] = field(default_factory=dict)
    """The same changes in terms of scans, removed lists included."""
    assignment: dict[str, str] = field(default_factory=dict)
    """Batch of every scan ever seen; empty when nothing changed."""

    @property
    def batches(self) -> list[str]:
        """The batches that hold scans, sorted."""
        return list(self.sizes)

    def write(self) -> None:
        """Carry the plan out; a process killed meanwhile leaves lists that the next start brings up to date."""
        remembered = self.output_dir / "work" / "batches" / FINGERPRINT_FILE
        if not self.assignment:
            return
        remembered.unlink(missing_ok=True)
        write_assignment(self.output_dir, self.assignment)
        for batch in self.changes.keys() - self.sizes.keys():
            batch_file(self.output_dir, batch).unlink(missing_ok=True)
        for batch, text in self.lists.items():
            # A manifest of another list; where a clock ran ahead, it would look newer than the list.
            manifest_file(self.output_dir, STAGES[0], batch).unlink(missing_ok=True)
            write_text(batch_file(self.output_dir, batch), text)
        content = {"fingerprint": self.fingerprint, "batches": self.sizes}
        write_text(remembered, json.dumps(content) + "\n")


def plan_batches(
    bids_dir: str | Path,
    output_dir: str | Path,
    batch_size: int,
    participants: Collection[str] = (),
    found: list[FoundScan] | None = None,
) -> BatchPlan:
    """Compare the data set (its scans `found`, if known) with the lists in `output_dir`; writes nothing.

    Scans seen before keep their batch whatever `batch_size` says; new ones fill new batches in the order of
    their names. Raises OSError naming the folder that cannot be read.
    """
    output_dir = Path(output_dir)
    found = find_scans(bids_dir, participants) if found is None else found
    fingerprint = _fingerprint(found)
    remembered = _remembered(output_dir)
    if remembered.get("fingerprint") == fingerprint:
        return BatchPlan(output_dir, fingerprint, remembered["batches"])
    rows = _rows_by_scan(found)
    assignment = extended(read_assignment(output_dir), list(rows), batch_size)
    members: dict[str, list[tuple]] = {}
    for scan_id, batch in assignment.items():
        if scan_id in rows:
            members.setdefault(batch, []).append(rows[scan_id])
    sizes = {batch: len(members[batch]) for batch in sorted(members)}
    texts = {batch: _as_text(members[batch]) for batch in sizes}
    lists = {batch: text for batch, text in texts.items() if text != _on_disk(output_dir, batch)}
    gone = set(list_batches(output_dir)) - sizes.keys()
    changes = {b: _change(output_dir, b, members.get(b, [])) for b in sorted(gone | lists.keys())}
    return BatchPlan(output_dir, fingerprint, sizes, lists, changes, assignment)


def update_batches(
    bids_dir: str | Path,
    output_dir: str | Path,
    batch_size: int,
    participants: Collection[str] = (),
) -> list[str]:
    """Bring the lists up to date and return the batches; for stages that are run by hand."""
    plan = plan_batches(bids_dir, output_dir, batch_size, participants)
    plan.write()
    return plan.batches


def _fingerprint(found: list[FoundScan]) -> str:
    digest = hashlib.sha256()
    for scan in found:
        told = f"{scan.scan_id}\0{scan.path}\0{scan.size}\0{scan.mtime_ns}\n"
        digest.update(told.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _remembered(output_dir: Path) -> dict:
    """Return what the last `write` remembered, if the lists that it wrote are all there."""
    try:
        text = (output_dir / "work" / "batches" / FINGERPRINT_FILE).read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError):
        return {}
    known = isinstance(content, dict) and isinstance(content.get("batches"), dict)
    return content if known and list(content["batches"]) == list_batches(output_dir) else {}


def _rows_by_scan(found: list[FoundScan]) -> dict[str, tuple]:
    """Return a list's row per scan; where several files claim a name, the first, marked as faulty."""
    rows = {}
    for scan_id, claims in groupby(found, attrgetter("scan_id")):  # sorted by it
        first, *others = claims
        rows[scan_id] = (*first, _problem(first, others))
    return rows


def _problem(first: FoundScan, others: list[FoundScan]) -> str:
    if not others:
        return ""
    names = [Path(scan.path).name for scan in (first, *others)]
    return f"duplicate: claimed by {', '.join(names)}; keep one of them"


def _as_text(rows: list[tuple]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
    writer.writerows([COLUMNS, *list_rows(rows)])
    return stream.getvalue()


def _on_disk(output_dir: Path, batch: str) -> str | None:
    path = batch_file(output_dir, batch)
    return path.read_bytes().decode() if path.exists() else None


def _change(output_dir: Path, batch: str, rows: list[tuple]) -> ListChange:
    path = batch_file(output_dir, batch)
    before = {row[0]: row for row in _read(path)} if path.exists() else {}
    now = {row[0]: [str(cell) for cell in row] for row in rows}
    changed = [scan for scan in before.keys() & now.keys() if before[scan] != now[scan]]
    return ListChange(
        frozenset(now.keys() - before.keys()),
        frozenset(changed),
        frozenset(before.keys() - now.keys()),
    )


def _read(path: Path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))[1:]
    return [list(map(unescape, row)) for row in rows]
