"""What the name of a scan tells, and which names cannot be taken."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from wirbel.io.atomic import LONGEST_NAME_BYTES
from wirbel.io.escapes import visible

SCAN_SUFFIXES = ("_T2w.nii.gz", "_T2w.nii")
MEANT = re.compile(r"^[^.].*t2w\.nii(\.gz)?$", re.IGNORECASE)
"""A T2w scan's name in whatever spelling."""
FOLDERS = re.compile(r"anat|ses(sion)?[-_ ]?\w*", re.IGNORECASE)
"""Folders of scans, or of sessions, in whatever spelling."""
LONGEST_ENDING = "_desc-subregion_dseg.nii.gz"
"""The longest that is put behind a scan's name."""


class FoundScan(NamedTuple):
    """A T2w file of a BIDS folder: entities as in its name ("sub-01", "ses-a" or "", "run-2" or "")."""

    scan_id: str
    participant_id: str
    session_id: str
    run_id: str
    path: str
    size: int
    mtime_ns: int


def is_meant(name: str) -> bool:
    """Whether a file is a T2w scan, or a folder one of scans, but for its spelling or its place."""
    return MEANT.search(name) is not None or FOLDERS.fullmatch(name) is not None


def scan_of(participant: str, session: str, entry: os.DirEntry) -> FoundScan:
    """Return the scan that a file in a participant's (and session's) `anat` is."""
    scan_id = entry.name[: entry.name.rindex("_T2w.nii")]
    run = ""
    if "run-" in scan_id:
        run = next((part for part in scan_id.split("_") if part.startswith("run-")), "")
    return FoundScan(scan_id, participant, session, run, entry.path, *_stamp(entry))


def folder_fault(name: str) -> str:
    """Return why a participant's folder cannot be taken under its name; empty where it can."""
    if name == "sub-":
        return "a folder sub- without a label: name it sub-<label>"
    if not name.isprintable():
        return (
            f"folder {visible(name)}: its name holds characters that cannot be printed; rename it"
        )
    return ""


def name_fault(scan: FoundScan) -> str:
    """Return why a scan cannot be taken under its name; empty where it can."""
    scan_id, session = scan.scan_id, scan.session_id
    belongs = f"{scan.participant_id}_{session}" if session else scan.participant_id
    if not (scan_id.isprintable() and session.isprintable()):
        fault = "the name holds characters that cannot be printed; rename it"
    elif scan_id != belongs and not scan_id.startswith(f"{belongs}_"):
        fault = f"expected a name that begins with {belongs}, as its folders are called; rename or move it"
    elif (more := _bytes_too_many(scan_id)) > 0:
        fault = f"the name is too long for those of its results, by {more} bytes; shorten it"
    else:
        return ""
    place = "/".join(filter(None, (scan.participant_id, session, "anat")))
    return f"{visible(f'{place}/{os.path.basename(scan.path)}')}: {fault}"


def _bytes_too_many(scan_id: str) -> int:
    """Return by how much the names of a scan's results are longer than file systems allow."""
    return len(scan_id.encode(errors="surrogateescape")) + len(LONGEST_ENDING) - LONGEST_NAME_BYTES


def _stamp(entry: os.DirEntry) -> tuple[int, int]:
    """Return (size, mtime_ns); (-1, 0) for a dangling link, which the first stage will refuse."""
    try:
        status = entry.stat()
    except OSError:
        return -1, 0
    return status.st_size, status.st_mtime_ns
