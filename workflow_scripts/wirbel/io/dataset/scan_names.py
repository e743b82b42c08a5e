"""Read a scan's name, and tell which names cannot be used."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import NamedTuple

from wirbel.io.atomic import LONGEST_NAME_BYTES
from wirbel.io.escapes import visible

T2W = "T2w"
"""The suffix of the scans that are taken if nothing else is asked for."""
FOLDERS = re.compile(r"anat|ses(sion)?[-_ ]?\w*", re.IGNORECASE)
"""Folders of scans or sessions, in any spelling."""
LONGEST_ENDING = "_desc-subregion_dseg.nii.gz"
"""The longest suffix that results add to a scan's name."""


class FoundScan(NamedTuple):
    """An image of a BIDS folder, with the entities of its name.

    Attributes
    ----------
    scan_id : str
        The file name without `_T2w.nii[.gz]`, or whatever suffix was asked for.
    participant_id, session_id, run_id : str
        "sub-01"; "ses-a" or ""; "run-2" or "".
    path : str
        The file.
    size, mtime_ns : int
        Size in bytes and time stamp; (-1, 0) for a dangling link.
    """

    scan_id: str
    participant_id: str
    session_id: str
    run_id: str
    path: str
    size: int
    mtime_ns: int


@cache
def endings(suffix: str) -> tuple[str, str]:
    """Return how the names of scans with a suffix end.

    Examples
    --------
    >>> endings("T1w")
    ('_T1w.nii.gz', '_T1w.nii')
    """
    return f"_{suffix}.nii.gz", f"_{suffix}.nii"


def is_meant(name: str, suffix: str = T2W) -> bool:
    """Return True if a file looks like a scan with this suffix, or a folder like one of scans, in the
    wrong spelling or place.
    """
    return _any_spelling(suffix).search(name) is not None or FOLDERS.fullmatch(name) is not None


@cache
def _any_spelling(suffix: str) -> re.Pattern[str]:
    return re.compile(rf"^[^.].*{re.escape(suffix)}\.nii(\.gz)?$", re.IGNORECASE)


def scan_of(participant: str, session: str, entry: os.DirEntry, suffix: str = T2W) -> FoundScan:
    """Return the scan for a file in the `anat` folder of a participant (and session).

    Parameters
    ----------
    participant, session : str
        Names of the folders; `session` is empty where there is none.
    entry : os.DirEntry
        The file, as the walk found it.
    suffix : str, default "T2w"
        The BIDS suffix of scans.

    Returns
    -------
    FoundScan
    """
    scan_id = entry.name[: entry.name.rindex(f"_{suffix}.nii")]
    run = ""
    if "run-" in scan_id:
        run = next((part for part in scan_id.split("_") if part.startswith("run-")), "")
    return FoundScan(scan_id, participant, session, run, entry.path, *_stamp(entry))


def folder_fault(name: str) -> str:
    """Return why a participant's folder has an unusable name, or "" if the name is fine."""
    if name == "sub-":
        return "a folder sub- without a label: name it sub-<label>"
    if not name.isprintable():
        return f"folder {visible(name)}: its name contains unprintable characters; rename it"
    return ""


def name_fault(scan: FoundScan) -> str:
    """Return why a scan has an unusable name, or "" if the name is fine."""
    scan_id, session = scan.scan_id, scan.session_id
    belongs = f"{scan.participant_id}_{session}" if session else scan.participant_id
    if not (scan_id.isprintable() and session.isprintable()):
        fault = "the name contains unprintable characters; rename it"
    elif scan_id != belongs and not scan_id.startswith(f"{belongs}_"):
        fault = f"expected a name that begins with {belongs}, like its folders; rename or move it"
    elif (more := _bytes_too_many(scan_id)) > 0:
        fault = f"the names of its results would be {more} bytes too long; shorten the scan's name"
    else:
        return ""
    place = "/".join(filter(None, (scan.participant_id, session, "anat")))
    return f"{visible(f'{place}/{os.path.basename(scan.path)}')}: {fault}"


def _bytes_too_many(scan_id: str) -> int:
    """Return by how much the names of a scan's results exceed what file systems allow."""
    return len(os.fsencode(scan_id)) + len(LONGEST_ENDING) - LONGEST_NAME_BYTES


def _stamp(entry: os.DirEntry) -> tuple[int, int]:
    """Return (size, mtime_ns), or (-1, 0) for a dangling link, which the first stage will refuse."""
    try:
        status = entry.stat()
    except OSError:
        return -1, 0
    return status.st_size, status.st_mtime_ns
