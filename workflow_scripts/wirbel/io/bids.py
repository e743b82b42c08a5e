"""Finding scans in a BIDS folder and naming derivatives."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from wirbel.core.participant_ids import match_ids
from wirbel.io.escapes import visible
from wirbel.io.listing import Listing
from wirbel.io.scan_names import FoundScan
from wirbel.io.walk import list_scans, participant_folders

MOST_NAMED = 10
"""Participants that were not found, named one by one."""
BIDS_VERSION = "1.9.0"
DESCRIPTION_FILE = "dataset_description.json"


def list_dataset(bids_dir: str | Path, participants: Collection[str] = ()) -> Listing:
    """Return all scans `sub-*/[ses-*/]anat/*_T2w.nii[.gz]`, sorted by name, then path, and what is odd.

    `participants` keeps only those named, with or without "sub-", and as a spreadsheet may have left them; empty
    keeps all; names that mean no participant are in `unmatched`. Paths are absolute. Raises FileNotFoundError when
    the folder is missing, or all of the named participants.
    """
    root = Path(os.path.abspath(bids_dir))
    if not root.is_dir():
        raise FileNotFoundError(f"bids_dir {bids_dir} is not a folder")
    present, misspelt = participant_folders(root)
    meant = match_ids(participants, present)
    missing = [name for name in participants if name not in meant]
    if missing and not meant:
        told = ", ".join(
            visible(f"sub-{name.removeprefix('sub-')}") for name in missing[:MOST_NAMED]
        )
        more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
        raise FileNotFoundError(f"participants not found in {bids_dir}: {told}{more}")
    chosen = sorted(set(meant.values())) if participants else sorted(present)
    listing = list_scans(root, [(name, present[name]) for name in chosen])
    listing.present, listing.unmatched = sorted(present), missing
    listing.misspelt = sorted(listing.misspelt + misspelt)
    return listing


def find_scans(bids_dir: str | Path, participants: Collection[str] = ()) -> list[FoundScan]:
    """Return the scans of `list_dataset`."""
    return list_dataset(bids_dir, participants).scans


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
