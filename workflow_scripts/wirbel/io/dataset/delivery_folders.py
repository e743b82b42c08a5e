"""List the deliveries in a folder `sub-*/[ses-*/]`, whatever lies in it: DICOM files, archives, folders of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from wirbel.errors import NO_SCAN
from wirbel.io.dataset.bids import requested
from wirbel.io.dataset.entities import LABEL
from wirbel.io.dataset.folder_content import content_stamp
from wirbel.io.dataset.listing import Finding, Listing
from wirbel.io.dataset.scan_names import T2W, FoundScan
from wirbel.io.dataset.walk import participant_folders
from wirbel.io.escapes import visible


def list_deliveries(
    root: str | Path, participants: Collection[str] = (), suffix: str = T2W
) -> Listing:
    """List one scan per folder `sub-X/ses-Y`, or `sub-X` where there are no sessions.

    Parameters
    ----------
    root : str or Path
        The folder, such as the `sourcedata` of a BIDS data set.
    participants : collection of str
        Keep only these. Default: keep all.
    suffix : str
        What the scans are called in messages. Default: "T2w".

    Returns
    -------
    Listing
        Scans sorted by name; their paths are folders, with the sum of their files' sizes.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist, or none of the participants asked for is there.
    OSError
        If a folder cannot be listed.
    """
    listing = Listing(suffix=suffix)
    present, listing.misspelt = participant_folders(Path(os.path.abspath(root)))
    chosen, listing.unmatched = requested(participants, present, root)
    listing.present = sorted(present)
    for name in chosen:
        _add(listing, name, present[name])
    listing.sort()
    return listing


def _add(listing: Listing, name: str, folder: str) -> None:
    """Add a participant's sessions, or what is wrong with the folder."""
    filled = 0
    for session, path in _sessions(folder):
        labels = (name.removeprefix("sub-"), *([session.removeprefix("ses-")] if session else []))
        if not all(map(LABEL.fullmatch, labels)):
            told = "expected sub-LABEL/[ses-LABEL/] with letters and digits; rename the folder"
            found = Finding(visible(name), visible(session), "", "misnamed", told)
            listing.findings.append(found)
            filled += 1
            continue
        size, stamp = content_stamp(path)
        if size <= 0:
            continue
        filled += 1
        scan_id = "_".join(filter(None, (name, session)))
        listing.scans.append(FoundScan(scan_id, name, session, "", path, size, stamp))
    if not filled:
        told = f"expected files in {name}/[ses-*/]; found none"
        listing.findings.append(Finding(visible(name), "", "", NO_SCAN, told))


def _sessions(folder: str) -> Iterator[tuple[str, str]]:
    """Yield (session, path); ("", folder) where there are no folders of sessions."""
    with os.scandir(folder) as entries:
        named = sorted(e.name for e in entries if e.name.startswith("ses-") and e.is_dir())
    if not named:
        yield "", folder
    for session in named:
        yield session, os.path.join(folder, session)
