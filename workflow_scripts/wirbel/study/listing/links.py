"""Links inside the output folder that lead into the raw data: results would be written among them.

Links to other places are fine: people put large folders on other disks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from wirbel.io.dataset.scan_names import FoundScan
from wirbel.study.checks.output_folder import (
    OWN_FOLDERS,
    elsewhere,
    leads_into,
    linked_raw_folders,
)
from wirbel.study.refused import Refused


def check_links(output_dir: Path, bids_dir: Path, scans: Iterable[FoundScan]) -> None:
    """Raise Refused where a folder that results of these scans go to is a link into `bids_dir`.

    Only folders of participants that have results already are looked at, so that a first run looks at none.
    """
    if not (output_dir.is_dir() and bids_dir.is_dir()):
        return
    found = list(_links(str(output_dir), scans))
    linked = linked_raw_folders(bids_dir) if found else {}
    for path in found:
        if leads_into(Path(path), bids_dir, output_dir, linked):
            raise Refused(
                f"{path} is a link into bids_dir: results would be written among the raw data; remove the link, or "
                f"{elsewhere(bids_dir)}"
            )


def _links(output_dir: str, scans: Iterable[FoundScan]) -> Iterator[str]:
    """Yield all links among the folders that results go to."""
    for name in OWN_FOLDERS:
        yield from _links_in(f"{output_dir}/{name}")
    with os.scandir(output_dir) as entries:
        present = {entry.name for entry in entries if entry.name.startswith("sub-")}
    seen: set[str] = set()
    for scan in scans if present else ():
        place = f"{output_dir}/{scan.participant_id}/{scan.session_id}".rstrip("/")
        if scan.participant_id not in present or place in seen:
            continue
        seen.add(place)
        yield from (p for p in (place, f"{place}/anat") if os.path.islink(p))


def _links_in(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    with os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.is_symlink()]
