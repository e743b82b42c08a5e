"""Flag the rows of one table of measures; write it with its scores, changes and dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from wirbel.cohort.columns import schema_of
from wirbel.cohort.description import TOOL_KEY
from wirbel.core.dictionary import CHANGES, MEASURED, NORMS, SCORES, TABLES, Column, clean_row
from wirbel.core.labels import down_the_spine
from wirbel.core.people.table_columns import Participants
from wirbel.core.plausibility.flags import Findings, look_at
from wirbel.core.plausibility.norms import reference_rows
from wirbel.core.plausibility.strata import strata_of
from wirbel.io.repeatability import read_repeatability
from wirbel.io.sidecars import write_json
from wirbel.io.tabular.change_tables import changes_of
from wirbel.io.tabular.columnar import write_both
from wirbel.io.tabular.rows import Rows
from wirbel.io.tabular.spool import Spool

NO_ORDERS: Mapping = MappingProxyType({})


class TableWriter:
    """Writes the finished tables into `folder`; `tool` is what every dictionary says about what made them."""

    def __init__(
        self,
        folder: Path,
        columns: Mapping[str, tuple[Column, ...]],
        participants: Participants,
        tool: Mapping[str, str],
    ) -> None:
        self._folder, self._columns = folder, columns
        self._participants, self._tool = participants, tool

    def finish(self, table: str, spool: Spool) -> tuple[dict[str, int], list[dict]]:
        """Flag one table's rows, write it and its scores; return rows by table, and those of the reference."""
        if table not in MEASURED:
            return {table: self._write(table, spool.batches())}, []
        found, names = _looked_at(table, spool, self._participants)
        written = {
            table: (spool.batches(), found.columns()),
            SCORES[table]: (spool.batches(), found.score_columns()),
            CHANGES[table]: changes_of(table, spool),
        }
        orders = {"level": down_the_spine(names[0])} if _has_level(table) else NO_ORDERS
        counts = {
            name: self._write(name, batches, more, orders)
            for name, (batches, more) in written.items()
        }
        return counts, reference_rows(table, found.groups, *names)

    def write_norms(self, norms: list[dict]) -> int:
        """Write the rows of the reference; return their number."""
        rows = Rows(schema_of(TABLES[NORMS]))
        for row in norms:
            rows.add_one(clean_row(NORMS, row))
        return self._write(NORMS, [rows.batch()])

    def _write(self, name: str, batches, more=NO_ORDERS, orders=NO_ORDERS) -> int:
        """Write one table and its dictionary; return its number of rows."""
        columns = self._columns[name]
        rows = write_both(self._folder / name, schema_of(columns), batches, more, orders)
        known = read_repeatability().get(name.removesuffix("_changes"), {})
        described = {c.name: c.entry(known.get(c.name.removesuffix("_change"))) for c in columns}
        write_json(self._folder / f"{name}.json", {TOOL_KEY: self._tool, **described})
        return rows


def _looked_at(
    table: str, spool: Spool, participants: Participants
) -> tuple[Findings, tuple[Sequence[str], Sequence[str]]]:
    """Return what is found about a table of measures, and the names of levels and sexes."""
    level = spool.categories("level") if _has_level(table) else None
    sex = spool.categories(participants.sex) if participants.sex else None
    age = spool.categories(participants.age) if participants.age else None
    strata = strata_of(spool.rows, level, sex, age)
    found = look_at(TABLES[table], strata, spool.numbers, spool.categories, spool.rows)
    return found, (level[1] if level else (), strata.sex_names)


def _has_level(table: str) -> bool:
    return any(column.name == "level" for column in TABLES[table])
