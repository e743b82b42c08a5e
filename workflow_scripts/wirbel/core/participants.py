"""What `participants.tsv` adds to the table of scans: its columns, with types found from their values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wirbel.core.dictionary import INTEGER, NUMBER, STRING, Column

MISSING = ("", "n/a")
"""How BIDS writes a missing value (and how many data sets do)."""
WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
"""A whole number; a leading zero marks a code, such as a site's, which stays text."""
DECIMAL = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Participants:
    """Participants' own columns, by participant.

    `rows` are those of `participants.tsv` as strings, `descriptions` the content of
    `participants.json`, `taken` the names that the table of scans already has: a column of such a name
    is called `participants_<name>`. Raises ValueError without a column participant_id.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, str]],
        descriptions: Mapping[str, Any],
        taken: Sequence[str],
    ) -> None:
        if rows and "participant_id" not in rows[0]:
            raise ValueError(
                "participants.tsv has no column participant_id; BIDS requires it first"
            )
        names = [n for n in (rows[0] if rows else ()) if n and n != "participant_id"]
        self.columns: list[Column] = []
        self._values: dict[str, dict[str, Any]] = {_full_id(r["participant_id"]): {} for r in rows}
        for name in names:
            kind = _kind([row[name] for row in rows])
            column = _column(name, kind, descriptions.get(name), name in taken)
            self.columns.append(column)
            for row in rows:
                value = None if _is_missing(row[name]) else row[name].strip()
                self._values[_full_id(row["participant_id"])][column.name] = column.clean(value)

    def of(self, participant_id: str) -> dict[str, Any]:
        """Return the values of one participant; empty when the file does not list them."""
        return self._values.get(participant_id, {})


def _column(name: str, kind: str, described: Any, is_taken: bool) -> Column:
    described = described if isinstance(described, Mapping) else {}
    levels = described.get("Levels")
    return Column(
        f"participants_{name}" if is_taken else name,
        kind,
        str(described.get("Description", f"Column {name} of participants.tsv")),
        "Copied from participants.tsv; empty where that file holds no value",
        source="participants.tsv of the data set",
        units=str(described.get("Units", "")),
        decimals=12,
        codes={str(k): str(v) for k, v in levels.items()} if isinstance(levels, Mapping) else None,
    )


def _kind(values: Sequence[str]) -> str:
    present = [value.strip() for value in values if not _is_missing(value)]
    for kind, pattern in ((INTEGER, WHOLE), (NUMBER, DECIMAL)):
        if present and all(pattern.fullmatch(value) for value in present):
            return kind
    return STRING


def _is_missing(value: str | None) -> bool:
    return value is None or value.strip().lower() in MISSING


def _full_id(participant_id: str) -> str:
    return participant_id if participant_id.startswith("sub-") else f"sub-{participant_id}"
