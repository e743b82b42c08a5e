"""What `participants.tsv` adds to the tables: its columns, with types found from their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from wirbel.core.dictionary import BOOLEAN, INTEGER, NUMBER, STRING, Column

MISSING = ("", "n/a", "na", "nan")
"""How BIDS writes a missing value, and how R and pandas do, in any case."""
TRUTH = {"true": True, "false": False}
WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
"""A whole number; a leading zero marks a code, such as a site's, which stays text."""
DECIMAL = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Participants:
    """Participants' own columns, by participant.

    `rows` are those of `participants.tsv` as strings, `descriptions` the content of
    `participants.json`, `taken` the names that the tables have already: a column of such a name (in any case)
    is called `participants_<name>`. `age` and `sex` name the columns of these meanings, where there are any.
    Raises ValueError without a column participant_id, or for a participant with two different rows.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, str]],
        descriptions: Mapping[str, Any],
        taken: Iterable[str],
    ) -> None:
        by_participant = _by_participant(rows)
        self._values: dict[str, dict[str, Any]] = {name: {} for name in by_participant}
        self.columns: list[Column] = []
        self.age = self.sex = ""
        used = {name.casefold() for name in taken}
        for name in (n for n in (rows[0] if rows else ()) if n and n != "participant_id"):
            texts = {p: _text(row.get(name)) for p, row in by_participant.items()}
            column = _column(name, _kind(texts.values()), descriptions.get(name), used)
            self._add(column, texts)
            used.add(column.name.casefold())
            if name.casefold() == "age":
                self.age = column.name
            elif name.casefold() == "sex":
                self.sex = column.name

    def _add(self, column: Column, texts: Mapping[str, str | None]) -> None:
        self.columns.append(column)
        for participant, text in texts.items():
            value = TRUTH[text.lower()] if text and column.kind == BOOLEAN else text
            self._values[participant][column.name] = column.clean(value)

    @property
    def persons(self) -> list[Column]:
        """The columns that every row of a person gets: age and sex, as far as they are there."""
        return [column for column in self.columns if column.name in (self.age, self.sex)]

    def of(self, participant_id: str) -> dict[str, Any]:
        """Return the values of one participant; empty when the file does not list them."""
        return self._values.get(participant_id, {})


def _by_participant(rows: Sequence[Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    if rows and "participant_id" not in rows[0]:
        raise ValueError("participants.tsv has no column participant_id; BIDS requires it first")
    found: dict[str, Mapping[str, str]] = {}
    for row in rows:
        name = row["participant_id"].strip()
        name = name if name.startswith("sub-") else f"sub-{name}"
        if found.setdefault(name, row) != row:
            raise ValueError(
                f"participants.tsv has two different rows for {name}; BIDS allows one row per participant: "
                "keep one of them"
            )
    return found


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
    for kind, pattern in ((INTEGER, WHOLE), (NUMBER, DECIMAL)):
        if present and all(pattern.fullmatch(text) for text in present):
            return kind
    return STRING


def _text(cell: str | None) -> str | None:
    """Return what a cell says, or None for a missing value."""
    text = (cell or "").strip()
    return None if text.lower() in MISSING else text
