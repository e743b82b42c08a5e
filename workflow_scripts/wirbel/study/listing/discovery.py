"""Find the scans that exist now and what that means for the batches: once per start, in the main
process.

`plan_batches` only reads. It walks the data set once, checks every scan's size and time stamp (so
that it notices a corrected file in an unchanged folder), and compares the result with the lists of
earlier runs in `work/batches`. A run then carries the plan out (`BatchPlan.write`); a dry run only
reports it.

`discovery.json` stores a fingerprint of all scans' names, paths, sizes and time stamps. While it is
the same, no list is opened.

A scan whose content is missing at the moment (not fetched, a disk that is not mounted) stays in its
list as it was, and its results stay valid.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType

from wirbel.io.atomic import write_text
from wirbel.io.dataset.bids import find_scans
from wirbel.io.dataset.presence import absence
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.escapes import unescape
from wirbel.manifests.batch_assignment import extended, read_assignment, write_assignment
from wirbel.manifests.batches import COLUMNS, batch_file, list_batches, list_rows
from wirbel.manifests.seals import digest_of_rows
from wirbel.study.withdrawing.who import is_of

FINGERPRINT_FILE = "discovery.json"
NO_PROBLEMS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ListChange:
    """Differences between a batch's list on disk and the data set; names of scans."""

    new: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BatchPlan:
    """What the lists in `work/batches` have to become."""

    output_dir: Path
    fingerprint: str
    sizes: dict[str, int]
    """Number of scans of every non-empty batch, sorted by batch."""
    digests: dict[str, str]
    """Digest of every batch's list (`wirbel.manifests.seals`)."""
    lists: dict[str, list[tuple]] = field(default_factory=dict)
    """New rows of the lists that are new or changed."""
    changes: dict[str, ListChange] = field(default_factory=dict)
    """The same changes in terms of scans, removed lists included."""
    assignment: dict[str, str] = field(default_factory=dict)
    """Batch of every scan ever seen; empty if nothing changed."""
    absent: tuple[str, ...] = ()
    """Scans whose content is missing at the moment but was there before."""
    left_out: frozenset[str] = frozenset()
    """Those of the gone scans that the settings (`participants`, `filter`, `where` and the like) exclude."""

    @property
    def batches(self) -> list[str]:
        """The batches that hold scans, sorted."""
        return list(self.sizes)

    def write(self) -> None:
        """Carry the plan out. If the process is killed meanwhile, the next start brings the lists up
        to date.
        """
        remembered = self.output_dir / "work" / "batches" / FINGERPRINT_FILE
        if not self.assignment:
            return
        remembered.unlink(missing_ok=True)
        write_assignment(self.output_dir, self.assignment)
        for batch in self.changes.keys() - self.sizes.keys():
            batch_file(self.output_dir, batch).unlink(missing_ok=True)
        for batch, rows in self.lists.items():
            write_text(batch_file(self.output_dir, batch), _as_text(rows))
        content = {"fingerprint": self.fingerprint, "batches": self.sizes}
        content |= {"digests": self.digests, "absent": self.absent}
        write_text(remembered, json.dumps(content) + "\n")


def plan_batches(
    bids_dir: str | Path,
    output_dir: str | Path,
    batch_size: int,
    participants: Collection[str] = (),
    found: list[FoundScan] | None = None,
    excluded: frozenset[str] = frozenset(),
    withdrawn: frozenset[str] = frozenset(),
    problems: Mapping[str, str] = NO_PROBLEMS,
) -> BatchPlan:
    """Compare the data set with the lists in `output_dir`; write nothing.

    Scans seen before keep their batch, whatever `batch_size` is; new ones fill new batches in the
    order of their names.

    Parameters
    ----------
    bids_dir, output_dir : str or Path
        Data set and output folder.
    batch_size : int
        Scans per new batch.
    participants : collection of str
        Keep only these; empty: all.
    found : list of FoundScan, optional
        The data set's scans, if known.
    excluded : frozenset of str
        Scans that are there but that the settings do not take.
    withdrawn : frozenset of str
        Participants whose scans lose their place, too.
    problems : mapping of str to str
        Scan -> "reason: detail" where it is refused before any job (`wirbel.study.sources.doubts`).

    Raises
    ------
    OSError
        Names the folder that cannot be read.
    """
    output_dir = Path(output_dir)
    found = find_scans(bids_dir, participants) if found is None else found
    fingerprint = _fingerprint(found, problems)
    remembered = _remembered(output_dir)
    if remembered.get("fingerprint") == fingerprint:
        known = remembered["batches"], remembered["digests"]
        return BatchPlan(output_dir, fingerprint, *known, absent=tuple(remembered["absent"]))
    rows = _rows_by_scan(found, problems)
    before = read_assignment(output_dir)
    excluded |= {scan for scan in before if is_of(withdrawn, scan)}
    kept = {scan: batch for scan, batch in before.items() if not is_of(withdrawn, scan)}
    assignment = extended(kept, list(rows), batch_size)
    members: dict[str, list[tuple]] = {}
    for scan_id, batch in assignment.items():
        if scan_id in rows:
            members.setdefault(batch, []).append(rows[scan_id])
    scope = frozenset(participants), excluded
    return _compared(output_dir, fingerprint, members, assignment, *scope)


def _compared(
    output_dir: Path,
    fingerprint: str,
    members: dict[str, list[tuple]],
    assignment: dict[str, str],
    participants: frozenset[str],
    excluded: frozenset[str],
) -> BatchPlan:
    """Compare the rows of every batch with its list on the disk."""
    lists, changes, absent, left_out = {}, {}, [], set()
    for batch in sorted(members.keys() | set(list_batches(output_dir))):
        rows, text = members.get(batch, []), _on_disk(output_dir, batch)
        if rows and text is None:
            changes[batch], lists[batch] = ListChange(new=frozenset(r[0] for r in rows)), rows
            continue
        now = _as_text(rows) if rows else None
        if now == text:
            continue
        before = {row[0]: row for row in _parsed(text)}
        rows, not_there = _as_they_were(rows, before)
        if not_there:
            absent += not_there
            members[batch], now = rows, _as_text(rows)
        if now != text:
            changes[batch] = _change(before, rows)
            gone = changes[batch].gone
            left_out |= _left_out(gone, before, participants) | (gone & excluded)
            if now is not None:
                lists[batch] = rows
    sizes = {batch: len(members[batch]) for batch in sorted(members)}
    return BatchPlan(
        output_dir,
        fingerprint,
        sizes,
        {batch: _digest(members[batch]) for batch in sizes},
        lists,
        changes,
        assignment,
        tuple(absent),
        frozenset(left_out),
    )


def _as_they_were(rows: list[tuple], before: dict[str, list[str]]) -> tuple[list, list[str]]:
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


def _left_out(gone: Collection[str], before: dict, participants: Collection[str]) -> set[str]:
    """Return those of the gone scans whose participant was not requested."""
    if not participants:
        return set()
    wanted = {*participants, *(f"sub-{name}" for name in participants)}
    return {scan for scan in gone if before[scan][1] not in wanted}


def _digest(rows: list[tuple]) -> str:
    return digest_of_rows((r[0], os.path.basename(r[4]), *r[5:8]) for r in rows)


def _fingerprint(found: list[FoundScan], problems: Mapping[str, str]) -> str:
    told = "".join(f"{s.scan_id}\0{s.path}\0{s.size}\0{s.mtime_ns}\n" for s in found)
    told += "".join(f"{scan}\0{problem}\n" for scan, problem in sorted(problems.items()))
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()


def _remembered(output_dir: Path) -> dict:
    """Return what the last `write` stored, if all lists that it wrote are there."""
    try:
        text = (output_dir / "work" / "batches" / FINGERPRINT_FILE).read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError):
        return {}
    expected = {"fingerprint", "batches", "digests", "absent"}
    known = isinstance(content, dict) and expected <= content.keys()
    return content if known and list(content["batches"]) == list_batches(output_dir) else {}


def _rows_by_scan(found: list[FoundScan], problems: Mapping[str, str]) -> dict[str, tuple]:
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


def _as_text(rows: list[tuple]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
    writer.writerows([COLUMNS, *list_rows(rows)])
    return stream.getvalue()


def _on_disk(output_dir: Path, batch: str) -> str | None:
    path = batch_file(output_dir, batch)
    return path.read_bytes().decode() if path.exists() else None


def _change(before: dict[str, list[str]], rows: list[tuple]) -> ListChange:
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


def _parsed(text: str | None) -> list[list[str]]:
    rows = list(csv.reader(io.StringIO(text or "", newline=""), delimiter="\t"))[1:]
    return [list(map(unescape, row)) for row in rows]
