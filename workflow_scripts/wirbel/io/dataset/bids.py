"""Find scans in a BIDS folder and name derivatives."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from wirbel.core.people.participant_ids import match_ids
from wirbel.io.atomic import write_text
from wirbel.io.dataset.listing import Listing
from wirbel.io.dataset.scan_names import T2W, FoundScan
from wirbel.io.dataset.walk import list_scans, participant_folders
from wirbel.io.escapes import visible

MOST_NAMED = 10
"""Missing participants listed by name in an error; the rest are counted."""
BIDS_VERSION = "1.9.0"
IGNORE_FILE = ".bidsignore"
DESCRIPTION_FILE = "dataset_description.json"


def list_dataset(
    bids_dir: str | Path, participants: Collection[str] = (), suffix: str = T2W
) -> Listing:
    """List all scans `sub-*/[ses-*/]anat/*_T2w.nii[.gz]` and everything odd beside them.

    Parameters
    ----------
    bids_dir : str or Path
        The BIDS folder.
    participants : collection of str
        Keep only these, with or without "sub-", and as a spreadsheet may have changed them (lost
        leading zeros). Default: keep all.
    suffix : str
        The suffix of the scans' names. Default: "T2w".

    Returns
    -------
    Listing
        Scans sorted by name, then path; paths are absolute. Names that match no participant are in
        `unmatched`.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist, or if none of the named participants does.
    """
    root = Path(os.path.abspath(bids_dir))
    if not root.is_dir():
        raise FileNotFoundError(f"bids_dir {bids_dir} is not a folder")
    present, misspelt = participant_folders(root)
    chosen, missing = requested(participants, present, bids_dir)
    listing = list_scans(root, [(name, present[name]) for name in chosen], suffix)
    listing.present, listing.unmatched = sorted(present), missing
    listing.misspelt = sorted(listing.misspelt + misspelt)
    return listing


def requested(
    participants: Collection[str], present: Collection[str], where: str | Path
) -> tuple[list[str], list[str]]:
    """Return the participants that are meant, sorted, and the requested names that match none.

    Parameters
    ----------
    participants : collection of str
        Requested names, as in `list_dataset`; empty: all.
    present : collection of str
        All participants ("sub-...").
    where : str or Path
        The data set, for the message.

    Raises
    ------
    FileNotFoundError
        If none of the requested participants is present.
    """
    meant = match_ids(participants, present)
    missing = [name for name in participants if name not in meant]
    if missing and not meant:
        told = ", ".join(
            visible(f"sub-{name.removeprefix('sub-')}") for name in missing[:MOST_NAMED]
        )
        more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
        raise FileNotFoundError(f"participants not found in {where}: {told}{more}")
    return sorted(set(meant.values())) if participants else sorted(present), missing


def find_scans(bids_dir: str | Path, participants: Collection[str] = ()) -> list[FoundScan]:
    """Return the scans of `list_dataset`."""
    return list_dataset(bids_dir, participants).scans


def anat_folder(output_dir: str | Path, participant_id: str, session_id: str) -> Path:
    """Return `output_dir/sub-X/[ses-Y/]anat`, the folder of a scan's final maps.

    Examples
    --------
    >>> anat_folder("out", "sub-01", "ses-a").as_posix()
    'out/sub-01/ses-a/anat'
    """
    return Path(output_dir, participant_id, session_id, "anat")


def write_dataset_description(
    folder: str | Path,
    name: str,
    *,
    derivative_of: str | None = None,
    version: str = "",
    description: str = "",
    links: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
) -> None:
    """Write the `dataset_description.json` of a data set, and its `.bidsignore`.

    Parameters
    ----------
    folder : str or Path
        The data set.
    name : str
        Its name.
    derivative_of : str, optional
        The software that made the data set, which is then declared a derivative. Default: raw data.
    version, description : str
        Version of that software, and more about it, such as the networks it used.
    links : mapping of str to str, optional
        Name -> address of other data sets, which BIDS URIs such as `bids:raw:...` refer to.
    ignored : sequence of str
        What BIDS has no rules for, as patterns of `.bidsignore`; default: write none.
    """
    from wirbel.io.sidecars import write_json  # imports numpy, which slows every start of Snakemake

    content: dict[str, Any] = {"Name": name, "BIDSVersion": BIDS_VERSION}
    content["DatasetType"] = "derivative" if derivative_of else "raw"
    if derivative_of:
        generator = {"Name": derivative_of, "Version": version, "Description": description}
        content["GeneratedBy"] = [{k: text for k, text in generator.items() if text}]
    if links:
        content["DatasetLinks"] = dict(links)
    write_json(Path(folder) / DESCRIPTION_FILE, content)
    if ignored:
        write_text(Path(folder) / IGNORE_FILE, "".join(f"{pattern}\n" for pattern in ignored))


def read_description(path: str | Path) -> dict[str, Any]:
    """Return the content of a `dataset_description.json`, or {} if the file is missing or invalid."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def generators(path: str | Path) -> list[str]:
    """Return the software that a `dataset_description.json` names as its source, or [] if it names
    none.
    """
    listed = read_description(path).get("GeneratedBy")
    listed = listed if isinstance(listed, list) else []
    return [str(maker.get("Name")) for maker in listed if isinstance(maker, dict)]
