"""Read and check the files about people before the first job; hours later a fault would cost all
tables.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wirbel.io.escapes import visible
from wirbel.io.foreign.people_files import SESSIONS, TABLE, PeopleFiles, read_people
from wirbel.study.refused import Refused
from wirbel.words import counted

MOST_TOLD = 5
"""Bad rows that are reported one by one."""
MOST_SESSION_FILES = 2000
"""Participants' own files that are read at the start; with more, the stage that joins them reports bad
rows.
"""


@dataclass(frozen=True)
class People:
    """What to say about the files about people, and their ids that match nobody in the data set."""

    remarks: list[str]
    absent: list[str]
    files: PeopleFiles = field(default_factory=PeopleFiles)


def check_people(
    bids_dir: str | Path,
    present: Collection[str],
    with_scans: Collection[str],
    session_files: Sequence[str] = (),
) -> People:
    """Return what is odd about participants.tsv and the related files; raise Refused if they cannot be
    joined at all.

    `present` are all participants of the data set ("sub-..."), `with_scans` those with scans.
    """
    own = session_files if len(session_files) <= MOST_SESSION_FILES else ()
    try:
        found = read_people(bids_dir, present, own)
    except ValueError as error:
        raise Refused(f"{error}: correct it, or take it out of bids_dir") from None
    except OSError as error:
        raise Refused(f"{error.filename} cannot be read: {error.strerror}") from None
    remarks = [*_unmatched(found), *_not_listed(found, with_scans), *_faults(found)]
    return People(remarks, list(dict.fromkeys(found.people.unmatched)), found)


def people_mark(bids_dir: str | Path, session_files: Iterable[str]) -> str:
    """Return a text that changes with the files about people: by content, or by time stamps for
    participants' own files.
    """
    digest = hashlib.sha256()
    for name in (TABLE, Path(TABLE).with_suffix(".json"), SESSIONS):
        path = Path(bids_dir, name)
        digest.update(f"{name}\0".encode())
        if path.is_file():
            digest.update(path.read_bytes())
    for name in sorted(session_files):
        digest.update(f"{os.path.basename(name)}\0{_stamp(name)}\n".encode())
    return digest.hexdigest()[:16]


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:  # a link to nothing: told when it is read
        return -1, 0
    return status.st_size, status.st_mtime_ns


def _unmatched(found: PeopleFiles) -> list[str]:
    names = list(dict.fromkeys(found.people.unmatched))
    if not names:
        return []
    total = len(names) + len(found.people.listed())
    return [
        f"{TABLE}: {len(names)} of {total} ids match no participant of the data set, or more than one, such as "
        f"{names[0]!r}: they are not used"
    ]


def _not_listed(found: PeopleFiles, with_scans: Collection[str]) -> list[str]:
    missing = sorted(set(with_scans) - found.people.listed())
    if not found.people.columns or not missing:
        return []
    return [
        f"{TABLE}: of {counted(len(with_scans), 'participant')} with scans {len(missing):,} "
        f"{'is' if len(missing) == 1 else 'are'} not listed, such as {visible(missing[0])}: the columns stay empty"
    ]


def _faults(found: PeopleFiles) -> list[str]:
    told = [f"{visible(fault)}: not used" for fault in found.faults[:MOST_TOLD]]
    more = len(found.faults) - MOST_TOLD
    return [*told, f"... and {more} more odd rows, in logs/cohort.log"] if more > 0 else told
