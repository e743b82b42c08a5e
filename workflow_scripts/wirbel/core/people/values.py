"""Turn the rows of `participants.tsv` and `sessions.tsv` into values by person and session, and report
what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from wirbel.core.people.participant_ids import match_ids, session_form

PARTICIPANT, SESSION = "participant_id", "session_id"
AGAIN = re.compile(r"_\d+$")
"""Suffix of a column's name if an earlier column has the same name."""
Row = Mapping[str, str]


@dataclass
class People:
    """Values of all people.

    Cells are stored by (participant, session as `session_form` writes it, or "" for all sessions),
    as column -> text.

    Attributes
    ----------
    columns : list of str
        In the order of the files, without the id columns.
    faults : list of str
        Sentences about rows that are not used.
    unmatched : list of str
        Ids that match no participant of the data set.
    """

    columns: list[str] = field(default_factory=list)
    cells: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    _rows: dict[str, list[dict[str, str]]] = field(default_factory=dict, repr=False, compare=False)
    """Participant -> rows, for `_counted` cells: looked up once for every scan of a cohort."""
    _counted: int = field(default=0, repr=False, compare=False)

    def of(self, participant_id: str, session_id: str = "") -> dict[str, str]:
        """Return the cells of a scan: its session's if the files have them, otherwise the
        participant's.
        """
        own = self.cells.get((participant_id, ""), {})
        if not session_id:
            return dict(own or self._only(participant_id))
        at_session = self.cells.get((participant_id, session_form(session_id)), {})
        return own | {name: text for name, text in at_session.items() if text.strip()}

    def _only(self, participant_id: str) -> dict[str, str]:
        """Return the cells of a participant whose only row names a session, for scans without a
        session.
        """
        if self._counted != len(self.cells):
            self._rows, self._counted = {}, len(self.cells)
            for (name, _), cells in self.cells.items():
                self._rows.setdefault(name, []).append(cells)
        rows = self._rows.get(participant_id, [])
        return rows[0] if len(rows) == 1 else {}

    def listed(self) -> set[str]:
        """Return the participants with any row."""
        return {participant for participant, _ in self.cells}


def id_column(columns: Iterable[str], wanted: str, rows: Sequence[Row] = ()) -> str | None:
    """Return how a table spells an id column, ignoring case and with blanks for underscores; None
    without one.

    Raises
    ------
    ValueError
        If two such columns differ in some row, so that it is unclear which one counts.
    """
    named = [name for name in columns if AGAIN.sub("", _plain(name)) == wanted]
    if len(named) > 1 and any(len({row[name].strip() for name in named}) > 1 for row in rows):
        raise ValueError(
            f"has two columns for the id: {' and '.join(map(repr, named))}; keep the one that holds {wanted}"
        )
    return named[0] if named else None


def gather_people(
    columns: Sequence[str], rows: Sequence[Row], lines: Sequence[int], present: Collection[str]
) -> People:
    """Return the people in a table like `participants.tsv`.

    Parameters
    ----------
    columns : sequence of str
        The header.
    rows : sequence of mapping
        Column -> text.
    lines : sequence of int
        Line number of each row.
    present : collection of str
        The data set's participants ("sub-...").

    Raises
    ------
    ValueError
        If the table has no usable ids.
    """
    participant = id_column(columns, PARTICIPANT, rows)
    session = id_column(columns, SESSION, rows)
    if participant is None:
        if not columns:
            return People()
        raise ValueError(
            f"has no column participant_id, which BIDS requires first; its columns are {', '.join(columns)}"
        )
    people = People(
        [name for name in columns if AGAIN.sub("", _plain(name)) not in (PARTICIPANT, SESSION)]
    )
    meant = match_ids((row[participant].strip() for row in rows), present)
    found: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for row, line in zip(rows, lines, strict=True):
        name = row[participant].strip()
        if not name:
            people.faults.append(f"line {line} has no participant_id")
        elif name not in meant:
            people.unmatched.append(name)
        else:
            key = (meant[name], session_form(row[session]) if session else "")
            found.setdefault(key, []).append((line, row))
    _take(people, found)
    return people


def add_sessions(
    people: People,
    participant_id: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    lines: Sequence[int],
) -> None:
    """Add the rows of a participant's own `sessions.tsv`; raise ValueError if it has no usable ids.

    Parameters
    ----------
    people : People
        Changed in place.
    participant_id : str
        Whose file it is.
    columns : sequence of str
        Names of its columns.
    rows : sequence
        Its rows, as texts.
    lines : sequence of int
        Number of each row's line, for messages.
    """
    session = id_column(columns, SESSION, rows)
    if session is None:
        if not columns:
            return
        raise ValueError(f"has no column session_id; its columns are {', '.join(columns)}")
    values = (n for n in columns if AGAIN.sub("", _plain(n)) not in (PARTICIPANT, SESSION))
    people.columns += [name for name in values if name not in people.columns]
    found: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for row, line in zip(rows, lines, strict=True):
        found.setdefault((participant_id, session_form(row[session])), []).append((line, row))
    _take(people, found)


def merge_people(people: People, more: People) -> None:
    """Add the values of another file; if both have the same cell, the later file counts."""
    people.columns += [name for name in more.columns if name not in people.columns]
    for key, cells in more.cells.items():
        own = people.cells.setdefault(key, {})
        own.update({name: text for name, text in cells.items() if text or name not in own})
    people.faults += more.faults
    people.unmatched += more.unmatched


def _take(people: People, found: Mapping[tuple[str, str], Sequence[tuple[int, Row]]]) -> None:
    """Take the rows of each person and session; if they contradict each other, take none."""
    for key, rows in found.items():
        told = [{name: (row.get(name) or "").strip() for name in people.columns} for _, row in rows]
        own = people.cells.setdefault(key, {})
        if any(cells != told[0] for cells in told):
            lines = ", ".join(str(line) for line, _ in rows)
            people.faults.append(
                f"lines {lines} contradict each other about {' '.join(key).strip()}"
            )
            own.update(dict.fromkeys(people.columns, ""))
        else:
            own.update({name: text for name, text in told[0].items() if text or name not in own})


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")
