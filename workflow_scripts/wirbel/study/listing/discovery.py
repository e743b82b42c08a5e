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

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from wirbel.io.atomic import write_text
from wirbel.io.dataset.bids import find_scans
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.manifests.batch_assignment import extended, read_assignment, write_assignment
from wirbel.manifests.batches import batch_file, list_batches
from wirbel.study.listing.batch_rows import (
    ListChange,
    as_they_were,
    change_between,
    list_as_text,
    list_digest,
    list_on_disk,
    rows_by_scan,
    rows_in,
)
from wirbel.study.withdrawing.who import is_of

FINGERPRINT_FILE = "discovery.json"
NO_PROBLEMS: Mapping[str, str] = MappingProxyType({})


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
            write_text(batch_file(self.output_dir, batch), list_as_text(rows))
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
    rows = rows_by_scan(found, problems)
    before = read_assignment(output_dir)
    excluded |= {scan for scan in before if is_of(withdrawn, scan)}
    kept = {scan: batch for scan, batch in before.items() if not is_of(withdrawn, scan)}
    assignment = extended(kept, {scan: row[4] for scan, row in rows.items()}, batch_size)
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
        rows, text = members.get(batch, []), list_on_disk(output_dir, batch)
        if rows and text is None:
            changes[batch], lists[batch] = ListChange(new=frozenset(r[0] for r in rows)), rows
            continue
        now = list_as_text(rows) if rows else None
        if now == text:
            continue
        before = {row[0]: row for row in rows_in(text)}
        rows, not_there = as_they_were(rows, before)
        if not_there:
            absent += not_there
            members[batch], now = rows, list_as_text(rows)
        if now != text:
            changes[batch] = change_between(before, rows)
            gone = changes[batch].gone
            left_out |= _left_out(gone, before, participants) | (gone & excluded)
            if now is not None:
                lists[batch] = rows
    sizes = {batch: len(members[batch]) for batch in sorted(members)}
    return BatchPlan(
        output_dir,
        fingerprint,
        sizes,
        {batch: list_digest(members[batch]) for batch in sizes},
        lists,
        changes,
        assignment,
        tuple(absent),
        frozenset(left_out),
    )


def _left_out(gone: Collection[str], before: dict, participants: Collection[str]) -> set[str]:
    """Return those of the gone scans whose participant was not requested."""
    if not participants:
        return set()
    wanted = {*participants, *(f"sub-{name}" for name in participants)}
    return {scan for scan in gone if before[scan][1] not in wanted}


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
