"""Find every scan of one suffix (T2w) in a BIDS folder, and every file that was meant to be one, by names alone.

No index and no header is opened, so that 30,000 participants take a second or two. An unusable name
never stops the others: it becomes a finding.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wirbel.errors import CONTENT_MISSING
from wirbel.io.atomic import MACHINE_ERRORS
from wirbel.io.dataset.listing import Finding, Listing
from wirbel.io.dataset.scan_names import (
    T2W,
    endings,
    folder_fault,
    is_meant,
    name_fault,
    scan_of,
)
from wirbel.io.escapes import visible

SESSIONS_ENDING = "_sessions.tsv"
THREADS = 8
"""Listings requested at once where each waits for an answer, as on a network file system."""
CHUNK = 64
"""Participants per task of a thread."""
SLOW_SECONDS = 0.03
"""Time for a chunk from which on it mostly waits. A local disk takes 2 ms, and there threads only get into each
other's way; a network file system takes 60 ms or more.
"""


def participant_folders(root: Path) -> tuple[dict[str, str], list[str]]:
    """Return the participants' folders (name -> path), and the names of folders that look like
    misspelt ones.
    """
    present, misspelt = {}, []
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.name.startswith("sub-") and (_is_folder(entry) or _leads_nowhere(entry)):
                present[entry.name] = entry.path
            elif entry.name[:4].casefold() in ("sub-", "sub_") and _is_folder(entry):
                misspelt.append(entry.name)
    return present, sorted(misspelt)


def list_scans(root: Path, participants: Sequence[tuple[str, str]], suffix: str = T2W) -> Listing:
    """Search participants' folders.

    Parameters
    ----------
    root : Path
        The BIDS folder.
    participants : sequence of (name, path)
        The folders to search.
    suffix : str
        The suffix of the scans' names. Default: "T2w".

    Returns
    -------
    Listing
        Sorted, so that the file system's order does not matter.

    Raises
    ------
    OSError
        If the machine or its file system is at fault.
    """
    parts = [participants[start : start + CHUNK] for start in range(0, len(participants), CHUNK)]
    listing, waiting = Listing(suffix=suffix), iter(parts)
    for some in waiting:
        began = time.perf_counter()
        listing.extend(_list_some(root, some, suffix))
        if time.perf_counter() - began > SLOW_SECONDS:
            break
    with ThreadPoolExecutor(THREADS) as pool:  # starts a thread only for what is left
        for part in pool.map(lambda some: _list_some(root, some, suffix), waiting):
            listing.extend(part)
    listing.findings += _without_scan(participants, listing)
    listing.sort()
    return listing


def _list_some(root: Path, participants: Iterable[tuple[str, str]], suffix: str) -> Listing:
    listing = Listing(suffix=suffix)
    for name, folder in participants:
        fault = folder_fault(name)
        if fault:
            listing.findings.append(Finding(visible(name), "", "", "misnamed", fault))
            continue
        try:
            _list_participant(root, name, folder, listing)
        except OSError as error:
            _note(error, name, listing)
    return listing


def _note(error: OSError, name: str, listing: Listing) -> None:
    """Record a folder that cannot be listed; raise again where a disk or server failed, not the folder."""
    if error.errno in MACHINE_ERRORS:
        raise error
    listing.unlisted.add(name)
    place = visible(str(error.filename or name))
    remedy = "give this user the permission"
    if error.errno in (errno.ENOENT, errno.ELOOP):
        remedy = "mount its disk or repair its link"
    told = f"{place} cannot be listed ({error.strerror}): {remedy}, and run again"
    listing.findings.append(Finding(name, "", "", CONTENT_MISSING, told))


def _list_participant(root: Path, name: str, folder: str, listing: Listing) -> None:
    """List a participant's folder, with and without sessions."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == "anat" and (_is_folder(entry) or _leads_nowhere(entry)):
                try:
                    _list_anat(root, name, "", entry.path, listing)
                except OSError as error:
                    _note(error, name, listing)
            elif entry.name.startswith("ses-") and (_is_folder(entry) or _leads_nowhere(entry)):
                try:
                    _list_session(root, name, entry, listing)
                except OSError as error:
                    _note(error, name, listing)
            elif entry.name == f"{name}{SESSIONS_ENDING}":
                listing.session_files.append(entry.path)
            elif is_meant(entry.name, listing.suffix):
                listing.misspelt.append(os.path.relpath(entry.path, root))


def _list_session(root: Path, name: str, session: os.DirEntry, listing: Listing) -> None:
    anat = os.path.join(session.path, "anat")
    if os.path.lexists(anat):
        _list_anat(root, name, session.name, anat, listing)
        return
    with os.scandir(session.path) as entries:
        meant = [entry.path for entry in entries if is_meant(entry.name, listing.suffix)]
    listing.misspelt += [os.path.relpath(path, root) for path in meant]


def _list_anat(root: Path, name: str, session: str, anat: str, listing: Listing) -> None:
    with os.scandir(anat) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.name.endswith(endings(listing.suffix)):
                scan = scan_of(name, session, entry, listing.suffix)
                fault = name_fault(scan)
                if fault:
                    found = Finding(
                        name, visible(session), visible(scan.scan_id), "misnamed", fault
                    )
                    listing.findings.append(found)
                else:
                    listing.scans.append(scan)
            elif is_meant(entry.name, listing.suffix):
                listing.misspelt.append(os.path.relpath(entry.path, root))


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle
        return False


def _leads_nowhere(entry: os.DirEntry) -> bool:
    """Return True if an entry is a link whose target does not exist at the moment."""
    return entry.is_symlink() and not os.path.exists(entry.path)


def _without_scan(participants: Sequence[tuple[str, str]], listing: Listing) -> list[Finding]:
    """Return a finding for every participant without a scan and without any other finding."""
    seen = {scan.participant_id for scan in listing.scans}
    seen |= {finding.participant_id for finding in listing.findings}
    examples = {path.split(os.sep, 1)[0]: path for path in sorted(listing.misspelt, reverse=True)}
    return [
        Finding(
            name, "", "", "no_scan", _no_scan_in_words(name, listing.suffix, examples.get(name))
        )
        for name, _ in participants
        if name not in seen and visible(name) not in seen
    ]


def _no_scan_in_words(name: str, suffix: str, misspelt: str | None) -> str:
    expected = f"expected {name}/[ses-*/]anat/*_{suffix}.nii.gz"
    return (
        f"{expected}, found {visible(misspelt)}: rename it"
        if misspelt
        else f"{expected}; found none"
    )
