"""Which scan is computed in which batch: decided once, appended to, never reshuffled.

`work/batches/assignment.tsv` holds every scan that was ever seen and its batch. `work/batches/<batch>.tsv`
lists the batch's present scans with size and time stamp, and is written only when that content changes, so
that the scheduler looks at a few lists instead of at every scan. Only the workflow's main process calls
`update_batches`; jobs read what it wrote.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from wirbel.io.atomic import write_text_if_changed
from wirbel.io.bids import FoundScan, anat_folder, find_scans
from wirbel.io.tables import read_rows, rows_as_text

BATCH_PATTERN = r"b\d{5}"
"""How a batch is called, as a regular expression."""


@dataclass(frozen=True)
class Scan:
    """One row of a batch list. `problem` is a discovery fault, "reason: detail", or empty."""

    scan_id: str
    participant_id: str
    session_id: str
    run_id: str
    path: Path
    size: int
    mtime_ns: int
    problem: str = ""


COLUMNS = tuple(field.name for field in fields(Scan))


@dataclass(frozen=True)
class StageFolders:
    """Where a stage finds and puts its files, below the output folder."""

    output_dir: Path

    def stage(self, name: str) -> Path:
        """Return `work/<name>`, the folder of a stage's intermediates and manifests."""
        return self.output_dir / "work" / name

    def anat(self, scan: Scan) -> Path:
        """Return `sub-X/[ses-Y/]anat`, the folder of a scan's final maps."""
        return anat_folder(self.output_dir, scan.participant_id, scan.session_id)


def update_batches(
    bids_dir: str | Path,
    output_dir: str | Path,
    batch_size: int,
    participants: Collection[str] = (),
) -> list[str]:
    """Bring the batch lists up to date with `bids_dir`; return the batches that hold scans, sorted.

    Scans seen before keep their batch whatever `batch_size` says; new ones fill new batches in the order of
    their names. The list of a batch none of whose scans is left (or asked for) is removed.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    folder = Path(output_dir, "work", "batches")
    scans = {scan.scan_id: scan for scan in _without_duplicates(find_scans(bids_dir, participants))}
    assignment = _extended(_read_assignment(folder), list(scans), batch_size)
    rows = [{"scan_id": scan, "batch": batch} for scan, batch in assignment.items()]
    path = folder / "assignment.tsv"
    write_text_if_changed(path, rows_as_text(path, ("scan_id", "batch"), rows))
    members: dict[str, list[Scan]] = {}
    for scan_id, batch in assignment.items():
        if scan_id in scans:
            members.setdefault(batch, []).append(scans[scan_id])
    for batch in set(list_batches(output_dir)) - members.keys():
        batch_file(output_dir, batch).unlink(missing_ok=True)
    for batch, listed in members.items():
        path = batch_file(output_dir, batch)
        write_text_if_changed(path, rows_as_text(path, COLUMNS, map(asdict, listed)))
    return sorted(members)


def list_batches(output_dir: str | Path) -> list[str]:
    """Return the batches that have a list, sorted; opens no file."""
    folder = Path(output_dir, "work", "batches")
    names = os.listdir(folder) if folder.is_dir() else []
    return sorted(name[:-4] for name in names if re.fullmatch(BATCH_PATTERN + r"\.tsv", name))


def batch_file(output_dir: str | Path, batch: str) -> Path:
    """Return the path of a batch's list."""
    return Path(output_dir, "work", "batches", f"{batch}.tsv")


def read_batch(path: str | Path) -> list[Scan]:
    """Read a batch list."""
    return [
        Scan(
            **{
                **row,
                "path": Path(row["path"]),
                "size": int(row["size"]),
                "mtime_ns": int(row["mtime_ns"]),
            }
        )
        for row in read_rows(path)
    ]


def _read_assignment(folder: Path) -> dict[str, str]:
    path = folder / "assignment.tsv"
    return {row["scan_id"]: row["batch"] for row in read_rows(path)} if path.exists() else {}


def _extended(assignment: dict[str, str], scans: list[str], batch_size: int) -> dict[str, str]:
    """Append the scans that have no batch yet, `batch_size` of them to each new batch."""
    first = 1 + max((int(batch[1:]) for batch in assignment.values()), default=0)
    new = [scan_id for scan_id in scans if scan_id not in assignment]
    added = {scan_id: f"b{first + i // batch_size:05d}" for i, scan_id in enumerate(new)}
    return {**assignment, **added}


def _without_duplicates(found: list[FoundScan]) -> list[Scan]:
    """Return one scan per name; where several files claim it, the first, marked as faulty."""
    claims: dict[str, list[FoundScan]] = {}
    for scan in found:
        claims.setdefault(scan.scan_id, []).append(scan)
    scans = []
    for first, *others in claims.values():
        names = [Path(scan.path).name for scan in (first, *others)]
        problem = f"duplicate: claimed by {', '.join(names)}; keep one of them" if others else ""
        scans.append(Scan(**{**asdict(first), "path": Path(first.path)}, problem=problem))
    return scans
