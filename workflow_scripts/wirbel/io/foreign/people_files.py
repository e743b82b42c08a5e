"""Read a data set's `participants.tsv`, `participants.json` and `sessions.tsv`, as people write them.

Wrong ids in a whole table are an error. A bad row, or one participant's bad file, affects only
itself.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wirbel.core.people.values import (
    PARTICIPANT,
    People,
    add_sessions,
    gather_people,
    id_column,
    merge_people,
)
from wirbel.io.dataset.presence import absence
from wirbel.io.foreign.foreign_tables import ForeignTable, read_foreign_table
from wirbel.io.foreign.foreign_text import read_foreign_text

TABLE, SESSIONS = "participants.tsv", "sessions.tsv"
THREADS = 8


@dataclass
class PeopleFiles:
    """What the files contain.

    Attributes
    ----------
    people : People
        Values by participant and session.
    descriptions : dict
        Column -> its entry in participants.json.
    faults : list of str
        Sentences about rows and files that were left out.
    """

    people: People = field(default_factory=People)
    descriptions: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def read_people(
    bids_dir: str | Path, present: Collection[str], session_files: Iterable[str] | None = None
) -> PeopleFiles:
    """Read the files of a data set that exist.

    Parameters
    ----------
    bids_dir : str or Path
        The data set.
    present : collection of str
        Its participants ("sub-...").
    session_files : iterable of str, optional
        The participants' own `sub-X_sessions.tsv`. Default: look for them.

    Raises
    ------
    ValueError
        If a table has no usable ids.
    OSError
        If a table cannot be read.
    """
    root, found = Path(bids_dir), PeopleFiles()
    for name in (TABLE, SESSIONS):
        if os.path.lexists(root / name):
            _add_table(found, root / name, present)
    _describe(found, (root / TABLE).with_suffix(".json"))
    names = _session_files(root, present) if session_files is None else sorted(session_files)
    with ThreadPoolExecutor(THREADS) as pool:
        for path, table in zip(names, pool.map(_read_gently, names), strict=True):
            _add_session_file(found, Path(path), table)
    return found


def read_name_list(path: str | Path) -> list[str]:
    """Return the names in a file: the column participant_id if it has one, otherwise every line or
    cell.

    Raises
    ------
    ValueError
        If the file is not text.
    OSError
        If it cannot be read.
    """
    table = read_foreign_table(path)
    column = id_column(table.columns, PARTICIPANT)
    if column is not None:
        return [row[column] for row in table.rows]
    return [cell.strip().strip('"') for cell in re.split(r"[\n\t,;]", read_foreign_text(path))]


def _add_table(found: PeopleFiles, path: Path, present: Collection[str]) -> None:
    if sentence := absence(path):
        raise ValueError(f"{path}: {sentence}")
    table = read_foreign_table(path)
    try:
        people = gather_people(table.columns, table.rows, table.lines, present)
    except ValueError as error:
        raise ValueError(f"{path} {error}") from None
    found.faults += [f"{path.name}: {fault}" for fault in (*table.faults, *people.faults)]
    merge_people(found.people, people)


def _add_session_file(found: PeopleFiles, path: Path, table: ForeignTable | str) -> None:
    """Add a participant's sessions; `table` is a sentence if the file could not be read."""
    participant = path.parent.name
    try:
        if isinstance(table, str):
            raise ValueError(table)
        people = People()
        add_sessions(people, participant, table.columns, table.rows, table.lines)
    except ValueError as error:
        found.faults.append(f"{path.name} {error}")
        return
    found.faults += [f"{path.name}: {fault}" for fault in (*table.faults, *people.faults)]
    merge_people(found.people, people)


def _read_gently(path: str) -> ForeignTable | str:
    try:
        return read_foreign_table(path)
    except (OSError, ValueError) as error:
        return f"cannot be read ({error})"


def _session_files(root: Path, present: Collection[str]) -> list[str]:
    """Look for the participants' own files, several at once because a network file system answers
    slowly.
    """
    names = [str(root / name / f"{name}_{SESSIONS}") for name in sorted(present)]
    with ThreadPoolExecutor(THREADS) as pool:
        return [
            name
            for name, there in zip(names, pool.map(os.path.isfile, names), strict=True)
            if there
        ]


def _describe(found: PeopleFiles, path: Path) -> None:
    if not path.is_file():
        return
    try:
        content = json.loads(read_foreign_text(path))
    except (ValueError, RecursionError) as error:
        found.faults.append(f"{path.name} is not valid JSON ({error})")
        return
    found.descriptions = content if isinstance(content, dict) else {}
