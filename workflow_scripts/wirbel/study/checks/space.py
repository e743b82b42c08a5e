"""Estimate before the first job, from the scans' own sizes, whether the results will fit on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wirbel.io.dataset.scan_names import FoundScan
from wirbel.study.refused import Refused

FINAL_SHARE = 0.06
"""What is kept of a scan as a share of its file: 0.11 MB of 2.0 MB for a simulated lumbar scan
(docs/outputs.md).
"""
INTERMEDIATE_SHARE = 1.0
"""Intermediate results, at most once per scan: 2.0 MB of 2.0 MB for the same scan."""
PANEL_BYTES = 400_000
"""A scan's page: 0.1 to 0.3 MB, and 2 MB for one in ten that is flagged."""
PAGES_BYTES = 13_000_000
"""Once: what the pages need beside the scans' own (2.9 MB), and the contact sheet (9.7 MB with 24 scans)."""
FILES_PER_SCAN = 6
"""Files kept per scan (docs/outputs.md)."""
GIGABYTE = 1e9


@dataclass(frozen=True)
class Estimate:
    """Bytes that stay, the largest number of bytes needed meanwhile, and files that stay."""

    final: float
    most: float
    files: int


def estimate(scans: Iterable[FoundScan], keep_intermediates: bool) -> Estimate:
    """Return the space that the results of some scans will take."""
    sizes = [max(scan.size, 0) for scan in scans]
    between = INTERMEDIATE_SHARE * sum(sizes)
    pages = PANEL_BYTES * len(sizes) + (PAGES_BYTES if sizes else 0)
    kept = FINAL_SHARE * sum(sizes) + pages
    final = kept + (between if keep_intermediates else 0)
    return Estimate(final, kept + between, FILES_PER_SCAN * len(sizes))


def disk_of(output_dir: str | Path) -> tuple[Path, os.statvfs_result]:
    """Return the folder, or the nearest existing one above it, and the state of its disk."""
    folder = Path(output_dir).absolute()
    path = next(p for p in (folder, *folder.parents) if p.exists())
    return path, os.statvfs(path)


def check_space(output_dir: str | Path, needed: Estimate) -> list[str]:
    """Raise Refused if not even the final results fit; return a remark if intermediate ones might not."""
    path, disk = disk_of(output_dir)
    free = disk.f_bavail * disk.f_frsize
    told = f"{free / GIGABYTE:.3g} GB are free where output_dir lies ({path})"
    if free < needed.final:
        raise Refused(
            f"{told}, and the results will take about {needed.final / GIGABYTE:.3g} GB: free some space, or choose "
            "another output_dir"
        )
    if disk.f_files and disk.f_favail < needed.files:
        raise Refused(
            f"{disk.f_favail} more files may be made where output_dir lies ({path}), and the results will be about "
            f"{needed.files}: remove some, ask for a larger quota, or choose another output_dir"
        )
    if free < needed.most:
        return [
            f"{told}; results between the stages may take up to {needed.most / GIGABYTE:.3g} GB before they are "
            "removed: watch it"
        ]
    return []
