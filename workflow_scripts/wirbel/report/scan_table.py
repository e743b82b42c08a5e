"""The table of scans as the page shows it: a column each of what helps to choose the scans to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wirbel.core.dictionary import IDENTITY, TABLES
from wirbel.core.dictionary.column import NUMBER, Column
from wirbel.core.dictionary.topics import quality
from wirbel.core.measures import status as S
from wirbel.io.tabular.parquet_columns import ParquetColumns
from wirbel.report.attention import RULE, attention
from wirbel.report.measures import measures_of
from wirbel.report.words import title, unit

ROWS = ("vertebrae", "discs", "levels", "scans")
"""Tables whose rows have plausibility flags."""
TEXTS = ("level_method", "first_level", "last_level")
COUNTS = ("vertebrae_found", "vertebrae_in_view")
QUALITY = [column for column in quality.OF_SCANS if column.kind == NUMBER]
"""Numbers that describe the image: to be sorted by, though people are not compared by them."""


class ScanTable:
    """The cohort's tables, and what the page's table of scans is made of."""

    def __init__(self, tables: Mapping[str, ParquetColumns]) -> None:
        self._tables, self._scans = tables, tables["scans"]
        self.scan_ids: list[str] = self._scans.values("scan_id")
        self._place = {scan: place for place, scan in enumerate(self.scan_ids)}

    @property
    def failed(self) -> np.ndarray:
        """Which scans failed (n_scans,)."""
        return np.array([status != S.OK for status in self._scans.values("scan_status")], bool)

    @property
    def models(self) -> list[str]:
        """The networks that made the maps."""
        return sorted(filter(None, self._scans.categories("model")[1]))

    @property
    def versions(self) -> list[str]:
        """The versions of Wirbel that made the maps."""
        return sorted(filter(None, self._scans.categories("wirbel_version")[1]))

    def columns(self) -> list[dict[str, Any]]:
        """Return the columns: name, title, unit, description, and values, or codes and what they stand for."""
        outliers, ranges, largest = self._row_counts()
        flags = _joined(self._scans.values("flags"), self._scans.values("level_flags"))
        counts = np.array([len(cell.split(";")) if cell else 0 for cell in flags])
        disagree = np.array([agree is False for agree in self._scans.values("levels_agree")])
        confidence = self._scans.numbers("level_confidence")
        score = attention(self.failed, counts, confidence, disagree, ranges, outliers)
        failures = self._failures()
        return [
            _numbers("attention", "Attention", score.tolist(), RULE),
            *(self._texts(column.name) for column in IDENTITY if self._is_used(column.name)),
            self._texts("scan_status", "Status"),
            *([self._texts("review")] if "review" in self._scans.names else []),
            _texts("stage", "Failed at", [f.get("stage") for f in failures], "Stage that failed"),
            _texts("flags", "Flags", flags, "Flags of the result, the file and the level names"),
            _numbers("outlier_rows", "Outlier rows", outliers.tolist(), "Rows with an outlier"),
            _numbers("range_rows", "Out of range", ranges.tolist(), "Rows outside a range"),
            _numbers("largest_modified_z", "Largest z", largest, "Largest modified z-score"),
            _numbers(
                "level_confidence", "Level confidence", confidence, "That all names are right"
            ),
            *(self._texts(name) for name in TEXTS),
            *(self._numbers(name) for name in COUNTS),
            *self._people(),
            *(self._measure(m.column) for m in measures_of("scans", self._scans.names)),
            *(self._measure(c) for c in QUALITY if c.name in self._scans.names),
            _texts("detail", "Why it failed", [f.get("detail") for f in failures], ""),
        ]

    def ages(self) -> np.ndarray:
        """Return the age of every scan's participant, NaN where unknown; `89+` is 89."""
        name = self._as_written("age")
        if name is None:
            return np.full(len(self.scan_ids), np.nan)
        if self._scans.kind(name) == "number":
            return self._scans.numbers(name)
        return np.array([_age(cell) for cell in self._scans.values(name)])

    def sexes(self) -> tuple[np.ndarray, list[str]]:
        """Return codes (n_scans,), -1 where unknown, and the names they stand for."""
        name = self._as_written("sex")
        if name is None:
            return np.full(len(self.scan_ids), -1), []
        codes, names = self._scans.categories(name)
        return codes, [str(name) for name in names]

    def _failures(self) -> list[dict[str, str]]:
        """Return stage and sentence of every scan; empty for one that did not fail."""
        table = self._tables["failures"]
        found: list[dict[str, str]] = [{} for _ in self.scan_ids]
        cells = zip(*(table.values(n) for n in ("scan_id", "stage", "detail")), strict=True)
        for scan, stage, detail in cells:
            if scan in self._place:
                found[self._place[scan]] = {"stage": stage, "detail": detail}
        return found

    def _row_counts(self) -> tuple[np.ndarray, np.ndarray, list[float | None]]:
        """Return rows with an outlier, rows with a value out of range, and the largest score, of every scan."""
        n = len(self.scan_ids)
        outliers, ranges, largest = np.zeros(n, int), np.zeros(n, int), np.zeros(n)
        for table in map(self._tables.__getitem__, ROWS):
            codes, names = table.categories("scan_id")
            place = np.array([self._place[name] for name in names] or [0], int)[codes]
            flag_codes, flags = table.categories("plausibility_flags")
            for code, told in enumerate(flags):
                rows = place[flag_codes == code]
                outliers += np.bincount(rows, minlength=n) * ("outlier" in told.split(";"))
                ranges += np.bincount(rows, minlength=n) * ("out_of_range" in told.split(";"))
            score = table.numbers("largest_modified_z")
            for sign in (1, -1):
                np.maximum.at(largest, place, np.nan_to_num(sign * score))
        return outliers, ranges, [value or None for value in largest.tolist()]

    def _people(self) -> list[dict[str, Any]]:
        found = {name: self._as_written(name) for name in ("age", "sex")}
        return [
            (self._numbers(own) if self._scans.kind(own) == "number" else self._texts(own))
            | {"name": name}
            for name, own in found.items()
            if own is not None
        ]

    def _as_written(self, name: str) -> str | None:
        """Return how participants.tsv spells a column's name: `Age`, say. None without one."""
        return next((own for own in self._scans.names if own.casefold() == name), None)

    def _is_used(self, name: str) -> bool:
        return any(self._scans.categories(name)[1])

    def _described(self, name: str) -> str:
        found = (c.description for c in TABLES["scans"] if c.name == name)
        return next(found, "From participants.tsv")

    def _texts(self, name: str, heading: str = "") -> dict[str, Any]:
        values = self._scans.values(name)
        texts = [None if value is None else str(value) for value in values]
        return _texts(name, heading or title(name), texts, self._described(name))

    def _numbers(self, name: str) -> dict[str, Any]:
        return _numbers(name, title(name), self._scans.numbers(name), self._described(name))

    def _measure(self, column: Column) -> dict[str, Any]:
        values = self._scans.numbers(column.name)
        return _numbers(column.name, title(column.name), values, column.description, unit(column))


def _numbers(name, heading, values, description, units="") -> dict[str, Any]:
    told = {"name": name, "title": heading, "unit": units, "description": description}
    return {**told, "kind": "number", "values": values}


def _texts(name, heading, values, description) -> dict[str, Any]:
    """Return a column of texts: each different one once, and its number for every scan, -1 for none."""
    known: dict[str, int] = {}
    codes = [-1 if value in (None, "") else known.setdefault(value, len(known)) for value in values]
    told = {"name": name, "title": heading, "unit": "", "description": description}
    return {**told, "kind": "text", "codes": codes, "texts": list(known)}


def _joined(*columns: list[str | None]) -> list[str]:
    return [";".join(filter(None, cells)) for cells in zip(*columns, strict=True)]


def _age(cell: str | None) -> float:
    try:
        return float(str(cell).rstrip("+"))
    except ValueError:
        return float("nan")
