"""Finding scans in a BIDS folder and naming derivatives.

Walks the folders by name only: no index, no header is opened, so that 30,000 participants take a
second or two.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

SCAN_SUFFIXES = ("_T2w.nii.gz", "_T2w.nii")
THREADS = 8
"""Listings asked for at once: on a network file system each waits for an answer; on a local one it costs nothing."""
CHUNK = 64
"""Participants per task of a thread."""
BIDS_VERSION = "1.9.0"
DESCRIPTION_FILE = "dataset_description.json"


class FoundScan(NamedTuple):
    """A T2w file of a BIDS folder: entities as in its name ("sub-01", "ses-a" or "", "run-2" or "")."""

    scan_id: str
    participant_id: str
    session_id: str
    run_id: str
    path: str
    size: int
    mtime_ns: int


def find_scans(bids_dir: str | Path, participants: Collection[str] = ()) -> list[FoundScan]:
    """Return every `sub-*/[ses-*/]anat/*_T2w.nii[.gz]`, sorted by scan name, then path.

    `participants` keeps only those named, with or without "sub-"; empty keeps all. Paths are absolute.
    Raises FileNotFoundError when the folder or a named participant is missing.
    """
    root = Path(os.path.abspath(bids_dir))
    if not root.is_dir():
        raise FileNotFoundError(f"bids_dir {bids_dir} is not a folder")
    wanted = {name if name.startswith("sub-") else f"sub-{name}" for name in participants}
    present = {entry.name: entry.path for entry in _folders(root, "sub-")}
    if wanted - present.keys():
        missing = ", ".join(sorted(wanted - present.keys()))
        raise FileNotFoundError(f"participants not found in {bids_dir}: {missing}")
    chosen = [(name, present[name]) for name in sorted(wanted or present)]
    parts = [chosen[start : start + CHUNK] for start in range(0, len(chosen), CHUNK)]
    with ThreadPoolExecutor(THREADS) as pool:
        found = [scan for part in pool.map(_participants_scans, parts) for scan in part]
    return sorted(found, key=itemgetter(0, 4))  # scan_id, path


def anat_folder(output_dir: str | Path, participant_id: str, session_id: str) -> Path:
    """Return `output_dir/sub-X/[ses-Y/]anat`, where a scan's final maps go."""
    return Path(output_dir, participant_id, session_id, "anat")


def write_dataset_description(
    folder: str | Path,
    name: str,
    *,
    derivative_of: str | None = None,
    version: str = "",
    description: str = "",
) -> None:
    """Write `dataset_description.json`; with `derivative_of`, for a data set made by that software.

    `description` says more about the software: which networks it used.
    """
    from wirbel.io.sidecars import write_json  # numpy: not for every start of the scheduler

    content = {"Name": name, "BIDSVersion": BIDS_VERSION}
    content["DatasetType"] = "derivative" if derivative_of else "raw"
    if derivative_of:
        generator = {"Name": derivative_of, "Version": version, "Description": description}
        content["GeneratedBy"] = [{k: text for k, text in generator.items() if text}]
    write_json(Path(folder) / DESCRIPTION_FILE, content)


def read_description(path: str | Path) -> dict[str, Any]:
    """Return a `dataset_description.json`; {} for anything that is not one."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def generators(path: str | Path) -> list[str]:
    """Return which software a `dataset_description.json` says made its data set; [] where it does not say."""
    listed = read_description(path).get("GeneratedBy")
    listed = listed if isinstance(listed, list) else []
    return [str(maker.get("Name")) for maker in listed if isinstance(maker, dict)]


def _folders(folder: str | Path, prefix: str) -> list[os.DirEntry]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if entry.name.startswith(prefix) and entry.is_dir()]


def _participants_scans(participants: list[tuple[str, str]]) -> list[FoundScan]:
    """Return the scans of some participants, given as (name, folder)."""
    found: list[FoundScan] = []
    for name, folder in participants:
        for session, anat in _anat_folders(folder):
            found += _scans(name, session, anat)
    return found


def _anat_folders(participant: str) -> list[tuple[str, str]]:
    """Return (session or "", path of the anat folder); one listing tells both kinds."""
    found = []
    with os.scandir(participant) as entries:
        for entry in entries:
            if entry.name == "anat" and entry.is_dir():
                found.append(("", entry.path))
            elif entry.name.startswith("ses-") and entry.is_dir():
                anat = os.path.join(entry.path, "anat")
                if os.path.isdir(anat):
                    found.append((entry.name, anat))
    return found


def _scans(participant: str, session: str, anat: str) -> list[FoundScan]:
    with os.scandir(anat) as entries:
        chosen = [entry for entry in entries if entry.name.endswith(SCAN_SUFFIXES)]
        return [_scan(participant, session, entry) for entry in chosen if entry.name[0] != "."]


def _scan(participant: str, session: str, entry: os.DirEntry) -> FoundScan:
    scan_id = entry.name[: entry.name.rindex("_T2w.nii")]
    run = ""
    if "run-" in scan_id:
        run = next((part for part in scan_id.split("_") if part.startswith("run-")), "")
    return FoundScan(scan_id, participant, session, run, entry.path, *_stamp(entry))


def _stamp(entry: os.DirEntry) -> tuple[int, int]:
    """Return (size, mtime_ns); (-1, 0) for a dangling link, which the first stage will refuse."""
    try:
        status = entry.stat()
    except OSError:
        return -1, 0
    return status.st_size, status.st_mtime_ns
