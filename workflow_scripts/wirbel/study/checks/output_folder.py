"""Check, before anything is written, that Wirbel may write to the output folder.

A mistake in `output_dir` must not overwrite other data. Folders are compared by device and number,
so that links, other mounts of one disk and names in another case are recognised. Participants of a data
set may be links themselves, as in a data set that is a selection of another one: what they lead to is raw data, too.
"""

from __future__ import annotations

import os
from pathlib import Path

from wirbel.io.dataset.bids import DESCRIPTION_FILE, generators
from wirbel.study.refused import Refused

OWN = "wirbel"
OWN_FOLDERS = ("work", "logs", "cohort", "qc", "evaluation", "colours")
"""What Wirbel writes to its output folder besides `sub-*`."""
RESERVED_IN_BIDS = ("sourcedata", "code", "phenotype", "stimuli")
"""Folders that BIDS reserves for other things; derivatives have their own."""
CHOOSE = "choose another output_dir, such as {}"


def check_output_folder(output_dir: str | Path, bids_dir: str | Path) -> None:
    """Raise Refused if results would overwrite, or be mixed with, data that is not Wirbel's.

    `bids_dir` may be empty or missing; the output folder need not exist yet.
    """
    output, bids = Path(output_dir), Path(bids_dir) if str(bids_dir) else None
    try:
        _check(output, bids)
    except OSError as error:
        raise Refused(
            f"output_dir {output} cannot be looked at: {error}; {elsewhere(bids)}"
        ) from None


def _check(output: Path, bids: Path | None) -> None:
    if os.path.lexists(output) and not output.is_dir():
        kind = "a file" if output.exists() else "a link to nothing"
        raise Refused(f"output_dir {output} is {kind}; expected a folder: {elsewhere(bids)}")
    if bids is not None and bids.is_dir():
        _check_place(output, bids)
    if output.is_dir():
        _check_owner(output, bids)


def _check_place(output: Path, bids: Path) -> None:
    """Refuse the data set itself, its participants' folders, and links into it."""
    linked = linked_raw_folders(bids)
    inside = inside_data_set(output, bids, linked)
    if inside == ():
        raise Refused(
            f"output_dir {output} is bids_dir itself: its dataset_description.json would be overwritten, and results "
            f"mixed with raw scans; {elsewhere(bids)}"
        )
    if inside is not None and _is_raw_place(inside):
        raise Refused(
            f"output_dir {output} lies among the raw data of bids_dir (in {'/'.join(inside)}); {elsewhere(bids)}"
        )
    around = below(bids, output)
    if around and (around[0] in OWN_FOLDERS or around[0].startswith("sub-")):
        raise Refused(
            f"bids_dir {bids} lies in a folder that Wirbel writes itself ({around[0]} of output_dir); {elsewhere(bids)}"
        )
    for link in _links(output):
        if leads_into(link, bids, output, linked):
            raise Refused(
                f"{link} is a link into bids_dir: results would be written among the raw data; "
                f"remove the link, or {elsewhere(bids)}"
            )


def _check_owner(output: Path, bids: Path | None) -> None:
    """Refuse a folder that says it is another data set, or looks like one."""
    description = output / DESCRIPTION_FILE
    if os.path.lexists(description):
        makers = generators(description)
        if not makers or set(makers) != {OWN}:
            told = f"made by {', '.join(makers)}" if makers else "not a description by Wirbel"
            raise Refused(
                f"output_dir {output} is another data set: its {DESCRIPTION_FILE} is {told}, and would be overwritten; "
                f"{elsewhere(bids)}"
            )
    elif not (output / "work" / "batches").is_dir():
        participant = next((e.name for e in os.scandir(output) if e.name.startswith("sub-")), None)
        if participant:
            raise Refused(
                f"output_dir {output} holds {participant} but was not made by Wirbel (it has no {DESCRIPTION_FILE} and "
                f"no work folder); {elsewhere(bids)}"
            )


def _is_raw_place(inside: tuple[str, ...]) -> bool:
    return _is_raw_name(inside[0]) or inside == ("derivatives",)


def _is_raw_name(name: str) -> bool:
    return name.casefold().startswith("sub-") or name.casefold() in RESERVED_IN_BIDS


def linked_raw_folders(bids: Path) -> dict[tuple[int, int], str]:
    """Return what the data set's raw folders that are links lead to: (device, number) -> the folder's name."""
    with os.scandir(bids) as entries:
        links = [entry for entry in entries if entry.is_symlink() and _is_raw_name(entry.name)]
    return {_number(entry.stat()): entry.name for entry in links if entry.is_dir()}


def inside_data_set(
    path: Path, bids: Path, linked: dict[tuple[int, int], str]
) -> tuple[str, ...] | None:
    """Return the parts of `path` below the data set, also behind its links; None where it is not part of it."""
    inside = below(path, bids)
    if inside is None and linked:
        resolved = Path(os.path.realpath(path))
        around = [a for a in (resolved, *resolved.parents) if a.exists()]
        names = [linked[_number(a.stat())] for a in around if _number(a.stat()) in linked]
        return (names[0],) if names else None
    return inside


def _number(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def leads_into(link: Path, bids: Path, output: Path, linked: dict[tuple[int, int], str]) -> bool:
    """Whether a link leads into the data set; an output folder of the data set's own derivatives is no part of it."""
    return inside_data_set(link, bids, linked) is not None and below(link, output) is None


def below(path: Path, folder: Path) -> tuple[str, ...] | None:
    """Return the parts of `path` below `folder`; () where both are the same, None where it is not below.

    Both as they are on the disk: every ancestor of the resolved path is compared by device and number.
    """
    if not folder.exists():
        return None
    resolved = Path(os.path.realpath(path))
    for count, ancestor in enumerate((resolved, *resolved.parents)):
        if ancestor.exists() and ancestor.samefile(folder):
            return resolved.parts[len(resolved.parts) - count :]
    return None


def _links(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.is_symlink()]


def elsewhere(bids: Path | None) -> str:
    return CHOOSE.format(bids / "derivatives" / OWN if bids else "results")
