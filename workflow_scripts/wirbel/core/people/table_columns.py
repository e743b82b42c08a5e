"""Add the columns of `participants.tsv` to the tables, with types found from their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from wirbel.core.dictionary import BOOLEAN, INTEGER, NUMBER, STRING, Column
from wirbel.core.people.values import People

MISSING = ("", "n/a", "na", "nan")
"""Missing values as BIDS, R and pandas write them, in any case."""
TRUTH = {"true": True, "false": False}
WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
"""A whole number. A leading zero marks a code, such as a site's, which stays text."""
NUMBERS = (
    re.compile(r"[+-]?(0|[1-9][0-9]{0,14})([eE][+-][0-9]+)?"),
    re.compile(r"[+-]?((0|[1-9][0-9]*)?\.[0-9]+|(0|[1-9][0-9]*)\.)([eE][+-]?[0-9]+)?"),
)
"""A number without and with a point. Codes are not numbers: 12E4 has neither point nor sign (R and
pandas write 1.2e5 and 1e+05), and more than 15 digits would not survive: two ids of 19 digits would
become the same number.
"""

OPEN_ENDED = re.compile(r"[0-9]{1,3}\+")
"""An age above which a data set tells no ages, as BIDS has it: 89+."""
AS_WRITTEN = {"Description": "Age as participants.tsv writes it; in the numbers 89 stands for 89+"}


class Participants:
    """The columns that people bring with them, and their values by participant and session.

    Parameters
    ----------
    people : People
        The cells of `participants.tsv` and `sessions.tsv`.
    descriptions : mapping
        The content of `participants.json`.
    taken : iterable of str
        Names of columns that the tables already have. A column with such a name (in any case)
        becomes `participants_<name>`.

    Attributes
    ----------
    age, sex : str or None
        The columns with these meanings, if there are any.
    """

    def __init__(
        self,
        people: People,
        descriptions: Mapping[str, Any],
        taken: Iterable[str],
    ) -> None:
        self._people = people
        self._columns: list[tuple[str, Column]] = []
        """How the files spell a column, and what it is in the tables."""
        self.age = self.sex = ""
        used = {name.casefold() for name in taken}

        def add(source: str, called: str, kind: str, described: Any) -> Column:
            column = _column(called, kind, described, used)
            self._columns.append((source, column))
            used.add(column.name.casefold())
            return column

        for name in people.columns:
            texts = [_text(cells.get(name)) for cells in people.cells.values()]
            is_age = name.casefold() == "age"
            open_ended = is_age and any(OPEN_ENDED.fullmatch(text or "") for text in texts)
            kind = _kind(map(_without_plus, texts) if open_ended else texts)
            column = add(name, name, kind, descriptions.get(name))
            if open_ended and kind != STRING:
                add(name, f"{name}_text", STRING, AS_WRITTEN)
            if is_age:
                self.age = column.name
            elif name.casefold() == "sex":
                self.sex = column.name

    @property
    def columns(self) -> list[Column]:
        """All columns, in the order of the files; ages as they are written follow the numbers."""
        return [column for _, column in self._columns]

    @property
    def persons(self) -> list[Column]:
        """The columns that every row of a person gets: age and sex, if there are any."""
        return [column for column in self.columns if column.name in (self.age, self.sex)]

    def of(self, participant_id: str, session_id: str = "") -> dict[str, Any]:
        """Return the values of one participant at a session; empty if the files do not list them."""
        cells = self._people.of(participant_id, session_id)
        return {c.name: _value(c, cells.get(name)) for name, c in self._columns if cells}


def _value(column: Column, cell: str | None) -> Any:
    text = _text(cell)
    if column.kind in (INTEGER, NUMBER):
        text = _without_plus(text)
    return column.clean(TRUTH[text.lower()] if text and column.kind == BOOLEAN else text)


def _without_plus(text: str | None) -> str | None:
    """Return the number of an open-ended age."""
    return text[:-1] if text and OPEN_ENDED.fullmatch(text) else text


def _column(name: str, kind: str, described: Any, used: Collection[str]) -> Column:
    free = name
    while free.casefold() in used:
        free = f"participants_{free}"
    described = described if isinstance(described, Mapping) else {}
    levels = described.get("Levels")
    return Column(
        free,
        kind,
        str(described.get("Description", f"Column {name} of participants.tsv")),
        "Copied from participants.tsv; empty where that file holds no value",
        source="participants.tsv of the data set",
        units=str(described.get("Units", "")),
        decimals=17,
        codes={str(k): str(v) for k, v in levels.items()} if isinstance(levels, Mapping) else None,
    )


def _kind(texts: Iterable[str | None]) -> str:
    present = [text for text in texts if text is not None]
    if present and all(text.lower() in TRUTH for text in present):
        return BOOLEAN
    if present and all(map(WHOLE.fullmatch, present)):
        return INTEGER
    if present and all(any(p.fullmatch(text) for p in NUMBERS) for text in present):
        return NUMBER
    return STRING


def _text(cell: str | None) -> str | None:
    """Return a cell's text, or None for a missing value."""
    text = (cell or "").strip()
    return None if text.lower() in MISSING else text
