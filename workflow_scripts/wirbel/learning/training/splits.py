"""Which participants are kept out of a training: dealt to folds once, and remembered in a table.

`splits.tsv` has one row for each participant of the real scans and each simulated scan. Who is listed keeps the fold;
participants that come later are dealt to the smallest folds in an order that depends on their names alone. So the
same table and names give the same split on every machine, and growing data never move a participant from the
validation into the training.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wirbel.io.atomic import write_text

FILE_NAME = "splits.tsv"
VERSION = "1"
COLUMNS = ("version", "data_set", "participant_id", "fold", "used_for")
NONE = "n/a"
SIMULATED = "simulated"


@dataclass(frozen=True)
class Part:
    """One row: a participant (or a simulated scan), the fold if there are folds, and what it is used for."""

    data_set: str
    participant_id: str
    fold: int | None
    validation: bool

    def cells(self) -> tuple[str, ...]:
        """Return the row's cells."""
        fold = NONE if self.fold is None else str(self.fold)
        use = "validation" if self.validation else "training"
        return (VERSION, self.data_set, self.participant_id, fold, use)


def dealt(participants: Iterable[str], known: dict[str, int], folds: int) -> dict[str, int]:
    """Return the fold of every participant.

    Parameters
    ----------
    participants : iterable of str
        Their names, in any order.
    known : dict of str to int
        Folds that were dealt before; they are kept.
    folds : int
        Number of folds.

    Raises
    ------
    ValueError
        If a known fold is beyond the number of folds.

    Examples
    --------
    >>> dealt(["sub-1", "sub-2"], {"sub-1": 1}, 2)
    {'sub-1': 1, 'sub-2': 0}
    """
    wanted = sorted(set(participants), key=_rank)
    beyond = {name: fold for name, fold in known.items() if not 0 <= fold < folds}
    if beyond:
        name, fold = next(iter(beyond.items()))
        raise ValueError(
            f"{FILE_NAME}: {name} is in fold {fold}, but there are {folds} folds (0 to {folds - 1}); "
            "set `folds` as before, or remove the file to deal again"
        )
    out = {name: known[name] for name in wanted if name in known}
    sizes = Counter(dict.fromkeys(range(folds), 0))
    sizes.update(known.values())
    for name in wanted:
        if name not in out:
            out[name] = min(range(folds), key=lambda fold: (sizes[fold], fold))
            sizes[out[name]] += 1
    return dict(sorted(out.items()))


def _rank(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def read_folds(path: Path, data_set: str) -> dict[str, int]:
    """Return participant -> fold of a data set as the table has it; empty if there is no table.

    Raises
    ------
    ValueError
        If the file is not such a table.
    """
    return {row[2]: int(row[3]) for row in _dealt_rows(path) if row[1] == data_set}


def _dealt_rows(path: Path) -> list[tuple[str, ...]]:
    """Return the rows with a fold; none if there is no table."""
    if not path.exists():
        return []
    heading, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    rows = [tuple(line.split("\t")) for line in lines if line]
    if tuple(heading.split("\t")) != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise ValueError(
            f"{path}: expected the columns {', '.join(COLUMNS)}; remove the file to deal again"
        )
    other = next((row[0] for row in rows if row[0] != VERSION), None)
    if other is not None:
        raise ValueError(f"{path}: expected version {VERSION} of this table, found {other}")
    return [row for row in rows if row[3] != NONE]


def write_splits(path: Path, parts: Iterable[Part]) -> None:
    """Write the table, sorted by data set and participant; whoever else was dealt to a fold stays in it."""
    rows = {row[1:3]: row for row in _dealt_rows(path)}
    rows |= {row[1:3]: row for row in (part.cells() for part in parts)}
    lines = [COLUMNS, *(rows[key] for key in sorted(rows))]
    write_text(path, "".join("\t".join(row) + "\n" for row in lines))
