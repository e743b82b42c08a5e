"""Which columns of the tables are measures to show distributions of, and their values by level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wirbel.core.dictionary import TABLES, Column
from wirbel.core.labels import LEVEL_LABELS, LEVELS_TOP_DOWN
from wirbel.core.measures import status as S
from wirbel.io.tabular.parquet_columns import ParquetColumns

MEASURED_TABLES = ("vertebrae", "discs", "levels", "scans")
WHOLE_SCAN = ""
"""Stands for the level of a measure of the scan as a whole."""


@dataclass(frozen=True)
class Measure:
    """One column of one table."""

    table: str
    column: Column

    @property
    def key(self) -> str:
        """Its name on the page and in the names of files."""
        return f"{self.table}.{self.column.name}"


@dataclass(frozen=True)
class Values:
    """The complete values of a measure at one level: `scans` are places in the table of scans."""

    level: str
    values: np.ndarray
    scans: np.ndarray
    outliers: np.ndarray
    """Whether the row's `outlier_columns` name the measure."""


def measures_of(table: str, names: tuple[str, ...]) -> list[Measure]:
    """Return the measures of a table that has columns `names`: numbers that are compared between people."""
    return [
        Measure(table, column)
        for column in TABLES[table]
        if column.name in names and column.is_scored
    ]


class LevelTable:
    """A table of measures, its rows sorted into levels once."""

    def __init__(self, table: str, columns: ParquetColumns, scans: list[str]) -> None:
        self.table, self._columns = table, columns
        place = {scan: index for index, scan in enumerate(scans)}
        codes, names = columns.categories("scan_id")
        self._scans = np.array([place[name] for name in names] or [0], int)[codes]
        self._rows = self._by_level()
        self._outliers = self._outlier_rows()
        self._status: dict[str, np.ndarray] = {}

    def measures(self) -> list[Measure]:
        """Return the table's measures, in the order of its columns."""
        return measures_of(self.table, self._columns.names)

    def values(self, measure: Measure) -> Iterator[Values]:
        """Yield the complete values of a measure, level by level from the top down."""
        numbers = self._columns.numbers(measure.column.name)
        good = np.isfinite(numbers) & self._complete(measure.column.status)
        odd = np.zeros(len(numbers), bool)
        odd[self._outliers.get(measure.column.name, [])] = True
        for level, rows in self._rows.items():
            kept = rows[good[rows]]
            if len(kept):
                yield Values(level, numbers[kept], self._scans[kept], odd[kept])

    def _by_level(self) -> dict[str, np.ndarray]:
        if "level" not in self._columns.names:
            return {WHOLE_SCAN: np.arange(self._columns.rows)}
        codes, names = self._columns.categories("level")
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(len(names) + 1))
        found = {name: order[ends[i] : ends[i + 1]] for i, name in enumerate(names)}
        return {name: found[name] for name in sorted(found, key=level_place)}

    def _complete(self, status: str) -> np.ndarray:
        """Return which rows have status ok; all where no status column is declared."""
        if not status or status not in self._columns.names:
            return np.ones(self._columns.rows, bool)
        if self._columns.kind(status) != "string":
            return np.ones(self._columns.rows, bool)
        if status not in self._status:
            codes, names = self._columns.categories(status)
            good = names.index(S.OK) if S.OK in names else -2
            self._status[status] = codes == good
        return self._status[status]

    def _outlier_rows(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        if "outlier_columns" not in self._columns.names:
            return found
        codes, names = self._columns.categories("outlier_columns")
        for code, name in enumerate(names):
            rows = np.flatnonzero(codes == code).tolist() if name else []
            for column in name.split(";") if name else ():
                found.setdefault(column, []).extend(rows)
        return found


def level_place(level: str) -> tuple[int, str]:
    """Return a sort key that puts levels, and discs by the vertebra above, from the top down."""
    above = LEVEL_LABELS.get(level.split("-")[0])
    return (LEVELS_TOP_DOWN.index(above) if above else len(LEVELS_TOP_DOWN), level)
