"""The columns of the cohort's tables: the dictionary's, and the participants' own."""

from __future__ import annotations

from collections.abc import Iterable

from wirbel.core.dictionary import CHANGES, NORMS, TABLES, Column
from wirbel.core.people.table_columns import Participants


def table_columns(participants: Participants) -> dict[str, tuple[Column, ...]]:
    """Return every table's columns: scans get all of the participants' own, other measures age and sex."""
    joined = dict.fromkeys(TABLES, participants.persons)
    joined |= {"scans": participants.columns, "failures": [], NORMS: []}
    joined |= dict.fromkeys(CHANGES.values(), [])
    return {table: (*declared, *joined[table]) for table, declared in TABLES.items()}


def schema_of(columns: Iterable[Column], without: Iterable[Column] = ()) -> list[tuple[str, str]]:
    """Return (name, type) of the columns, for the files."""
    return [(column.name, column.kind) for column in columns if column not in without]
