"""Everything in a BIDS folder that is a T2w scan, or was meant to be one: found by names alone.

No index and no header is opened, so that 30,000 participants take a second or two. What cannot be taken as it is named
never stops the others: it becomes a finding.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from pathlib import Path

from wirbel.io.atomic import MACHINE_ERRORS
from wirbel.io.escapes import visible
from wirbel.io.scan_names import (
    SCAN_SUFFIXES,
    FoundScan,
    folder_fault,
    is_meant,
    name_fault,
    scan_of,
)

SESSIONS_ENDING = "_sessions.tsv"
THREADS = 8
"""Listings asked for at once: on a network file system each waits for an answer; on a local one it costs nothing."""
CHUNK = 64
"""Participants per task of a thread."""


@dataclass(frozen=True)
class Finding:
    """What is no scan but has to be told: names are printable, `reason` is a key of `wirbel.errors.REASONS`."""

    participant_id: str
    session_id: str
    scan_id: str
    reason: str
    detail: str


@dataclass
class Listing:
    """What was found: scans, findings, and paths (relative) of what only its spelling keeps from being scans."""

    scans: list[FoundScan] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    misspelt: list[str] = field(default_factory=list)
    session_files: list[str] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)
    """Participants whose folder could not be listed."""
    present: list[str] = field(default_factory=list)
    """All participants of the data set, asked for or not."""

    def extend(self, other: Listing) -> None:
        """Add what another one holds."""
        self.scans += other.scans
        self.findings += other.findings
        self.misspelt += other.misspelt
        self.session_files += other.session_files
        self.unlisted |= other.unlisted

    def sort(self) -> None:
        """Put everything in an order of its own, whatever the file system's."""
        self.scans.sort(key=itemgetter(0, 4))  # scan_id, path
        self.findings.sort(key=attrgetter("participant_id", "session_id", "scan_id", "detail"))
        self.misspelt.sort()
        self.session_files.sort()


def participant_folders(root: Path) -> tuple[dict[str, str], list[str]]:
    """Return the participants' folders, name -> path, and names of folders meant to be one but spelt otherwise."""
    present, misspelt = {}, []
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.name.startswith("sub-") and entry.is_dir():
                present[entry.name] = entry.path
            elif entry.name[:4].casefold() in ("sub-", "sub_") and entry.is_dir():
                misspelt.append(entry.name)
    return present, sorted(misspelt)


def list_scans(root: Path, participants: Sequence[tuple[str, str]]) -> Listing:
    """Look through participants' folders, given as (name, path). Raises OSError where the machine is at fault."""
    parts = [participants[start : start + CHUNK] for start in range(0, len(participants), CHUNK)]
    listing = Listing()
    with ThreadPoolExecutor(THREADS) as pool:
        for part in pool.map(lambda some: _list_some(root, some), parts):
            listing.extend(part)
    listing.findings += _without_scan(participants, listing)
    listing.sort()
    return listing


def _list_some(root: Path, participants: Iterable[tuple[str, str]]) -> Listing:
    listing = Listing()
    for name, folder in participants:
        fault = folder_fault(name)
        if fault:
            listing.findings.append(Finding(visible(name), "", "", "misnamed", fault))
            continue
        try:
            _list_participant(root, name, folder, listing)
        except OSError as error:
            _not_listed(error, name, listing)
    return listing


def _not_listed(error: OSError, name: str, listing: Listing) -> None:
    """Note a folder that may not be read; a failing disk, or server, is nobody's folder."""
    if error.errno in MACHINE_ERRORS:
        raise error
    listing.unlisted.add(name)
    place = visible(str(error.filename or name))
    told = (
        f"{place} cannot be listed ({error.strerror}): give this user the permission, and run again"
    )
    if error.errno == errno.ENOENT:
        told = f"{place} went away while it was listed: run again"
    listing.findings.append(Finding(name, "", "", "content_missing", told))


def _list_participant(root: Path, name: str, folder: str, listing: Listing) -> None:
    """List a participant's folder; one listing tells whether there are sessions."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == "anat" and entry.is_dir():
                _list_anat(root, name, "", entry.path, listing)
            elif entry.name.startswith("ses-") and entry.is_dir():
                _list_session(root, name, entry, listing)
            elif entry.name == f"{name}{SESSIONS_ENDING}":
                listing.session_files.append(entry.path)
            elif is_meant(entry.name):
                listing.misspelt.append(os.path.relpath(entry.path, root))


def _list_session(root: Path, name: str, session: os.DirEntry, listing: Listing) -> None:
    anat = os.path.join(session.path, "anat")
    if os.path.isdir(anat):
        _list_anat(root, name, session.name, anat, listing)
        return
    with os.scandir(session.path) as entries:
        listing.misspelt += [os.path.relpath(e.path, root) for e in entries if is_meant(e.name)]


def _list_anat(root: Path, name: str, session: str, anat: str, listing: Listing) -> None:
    with os.scandir(anat) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.name.endswith(SCAN_SUFFIXES):
                scan = scan_of(name, session, entry)
                fault = name_fault(scan)
                if fault:
                    found = Finding(
                        name, visible(session), visible(scan.scan_id), "misnamed", fault
                    )
                    listing.findings.append(found)
                else:
                    listing.scans.append(scan)
            elif is_meant(entry.name):
                listing.misspelt.append(os.path.relpath(entry.path, root))


def _without_scan(participants: Sequence[tuple[str, str]], listing: Listing) -> list[Finding]:
    """Return a finding for every participant of whom nothing was found, not even something odd."""
    seen = {scan.participant_id for scan in listing.scans}
    seen |= {finding.participant_id for finding in listing.findings}
    examples = {path.split(os.sep, 1)[0]: path for path in sorted(listing.misspelt, reverse=True)}
    return [
        Finding(name, "", "", "no_scan", _no_scan_in_words(name, examples.get(name)))
        for name, _ in participants
        if name not in seen and visible(name) not in seen
    ]


def _no_scan_in_words(name: str, misspelt: str | None) -> str:
    expected = f"expected {name}/[ses-*/]anat/*_T2w.nii.gz"
    return (
        f"{expected}, found {visible(misspelt)}: rename it"
        if misspelt
        else f"{expected}; found none"
    )
