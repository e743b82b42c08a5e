"""Batches and their lists: `work/batches/<batch>.tsv` names the batch's present scans, with size and time stamp.

A list is written only when that content changes, so that the scheduler looks at a few lists instead of at every
scan. Only the workflow's main process writes them (`wirbel.study.listing.discovery`); jobs read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from wirbel.io.dataset.bids import anat_folder
from wirbel.io.escapes import escaped, unescape
from wirbel.io.tabular.tables import read_rows

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

    def converted(self, scan: Scan, suffix: str) -> Path:
        """Return the file that `ingest` makes of a delivery, such as `sub-X/anat/sub-X_T2w.nii.gz`."""
        return self.anat(scan) / f"{scan.scan_id}_{suffix}.nii.gz"


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
    return [_scan({name: unescape(cell) for name, cell in row.items()}) for row in read_rows(path)]


def read_scans(output_dir: str | Path, batch: str, ingested: str = "") -> list[Scan]:
    """Return the scans of a batch as stages after `ingest` open them.

    `ingested` is the suffix of what that stage makes (`wirbel.plan.plan.Plan.ingested`); empty: the
    scans are the data set's own files.
    """
    scans = read_batch(batch_file(output_dir, batch))
    if not ingested:
        return scans
    folders = StageFolders(Path(output_dir))
    return [replace(scan, path=folders.converted(scan, ingested)) for scan in scans]


def list_rows(scans: Iterable[Sequence[Any]]) -> list[list[str]]:
    """Return the cells of a batch list, whose scans are given as values in the order of `COLUMNS`."""
    return [escaped(map(str, scan)) for scan in scans]


def _scan(row: dict[str, str]) -> Scan:
    cells: dict[str, Any] = {**row, "path": Path(row["path"])}
    cells |= {"size": int(row["size"]), "mtime_ns": int(row["mtime_ns"])}
    return Scan(**cells)
