"""The flag columns of a table: which of a row's values are unusual in the cohort, or outside their range."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from wirbel.core.dictionary.column import Column
from wirbel.core.dictionary.plausibility import NOT_COMPARED, OUT_OF_RANGE, OUTLIER, PLAUSIBILITY
from wirbel.core.measures import status as S
from wirbel.core.plausibility.scores import OUTLIER_SCORE
from wirbel.core.plausibility.strata import Group, Strata

Numbers = Callable[[str], np.ndarray]
Categories = Callable[[str], tuple[np.ndarray, list[Any]]]
DECIMALS = next(c.decimals for c in PLAUSIBILITY if c.name == "largest_modified_z")


def look_at(
    columns: Sequence[Column], strata: Strata, numbers: Numbers, categories: Categories, rows: int
) -> Findings:
    """Return what is unusual about the values of a table, and the score of each.

    `columns` are those that the table declares. `numbers` gives a column by its name as float64 of shape
    (rows,), NaN where missing; `categories` as codes of shape (rows,), -1 where missing, and the values
    that they stand for. One column is held at a time. Only complete values are looked at: those
    whose status column says ok, where it has that code.

    Parameters
    ----------
    columns : sequence of Column
        See above.
    strata : Strata
        Groups of rows that are compared.
    numbers, categories : callable
        See above.
    rows : int
        Number of rows.

    Returns
    -------
    Findings
    """
    found = Findings(rows)
    for column in columns:
        if column.is_scored or column.interval:
            values = complete_values(column, columns, numbers(column.name), categories)
            found.check_range(column.name, values, _limits(column, rows, categories))
            if column.is_scored:
                found.check_scores(column.name, *strata.compare(values))
                found.note_uncompared(column.name, values)
    return found


def complete_values(
    column: Column, columns: Sequence[Column], values: np.ndarray, categories: Categories
) -> np.ndarray:
    """Return `values` with NaN where the column's status says anything but ok.

    Parameters
    ----------
    column : Column
        The measure.
    columns : sequence of Column
        All of its table.
    values : numpy.ndarray, shape (rows,)
        Its values, NaN where missing.
    categories : callable
        Gives a column as codes.

    Returns
    -------
    numpy.ndarray, shape (rows,)
    """
    status = next((c for c in columns if c.name == column.status), None)
    if status is None or S.OK not in (status.codes or {}):
        return values
    codes, states = categories(status.name)
    if S.OK not in states:
        return np.full_like(values, np.nan)
    return np.where(codes == states.index(S.OK), values, np.nan)


def _limits(column: Column, rows: int, categories: Categories) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's smallest and largest plausible value, (rows,) each: those of its level, if it has any."""
    overall = column.interval or (-np.inf, np.inf)
    if not column.level_intervals:
        return np.full(rows, overall[0]), np.full(rows, overall[1])
    codes, levels = categories("level")
    by_code = [column.level_intervals.get(level, overall) for level in levels] + [overall]
    low, high = np.array(by_code, float).T
    return low[codes], high[codes]  # code -1, no level, takes the last: the overall range


class Findings:
    """What is unusual about each row of a table, gathered column by column.

    `scores` are those of each column that is compared, (rows,) float32; `groups` the ones they were compared with.
    """

    def __init__(self, rows: int) -> None:
        self.scores: dict[str, np.ndarray] = {}
        self.groups: dict[str, list[Group]] = {}
        self._uncompared: dict[int, list[str]] = {}
        self._largest = np.full(rows, np.nan)
        self._outliers: dict[int, list[tuple[float, str]]] = {}
        self._outside: dict[int, list[str]] = {}

    def check_range(
        self, name: str, values: np.ndarray, limits: tuple[np.ndarray, np.ndarray]
    ) -> None:
        """Note the rows whose value lies outside the row's plausible range."""
        low, high = limits
        for row in np.flatnonzero((values < low) | (values > high)).tolist():
            self._outside.setdefault(row, []).append(name)

    def check_scores(self, name: str, scores: np.ndarray, groups: Sequence[Group] = ()) -> None:
        """Note every score, the rows whose score is large, and for every row the largest of its scores."""
        self.scores[name], self.groups[name] = scores.astype(np.float32), list(groups)
        larger = np.abs(scores) > np.nan_to_num(np.abs(self._largest), nan=-1.0)
        self._largest[larger] = scores[larger]
        for row in np.flatnonzero(np.abs(scores) > OUTLIER_SCORE).tolist():
            self._outliers.setdefault(row, []).append((-abs(float(scores[row])), name))

    def note_uncompared(self, name: str, values: np.ndarray) -> None:
        """Note the rows that have a value but no score: too few people to compare with."""
        for row in np.flatnonzero(np.isfinite(values) & np.isnan(self.scores[name])).tolist():
            self._uncompared.setdefault(row, []).append(name)

    def score_columns(self) -> dict[str, Any]:
        """Return the columns of the table of scores: rounded scores, and the names of the measures without one."""
        rows = len(self._largest)
        scores: dict[str, Any] = {
            f"{name}_z": np.round(values.astype(float), DECIMALS) + 0.0
            for name, values in self.scores.items()
        }
        scores["too_few_to_compare"] = joined(self._uncompared, rows)
        return scores

    def columns(self) -> dict[str, Any]:
        """Return the columns of `wirbel.core.dictionary.plausibility.PLAUSIBILITY`."""
        none = np.isnan(self._largest)
        names = {
            "outlier_columns": joined(
                {row: [name for _, name in sorted(found)] for row, found in self._outliers.items()},
                len(none),
            ),
            "out_of_range_columns": joined(self._outside, len(none)),
        }
        largest = np.round(self._largest, DECIMALS) + 0.0  # no minus zero
        return {"plausibility_flags": self._flags(none), **names, "largest_modified_z": largest}

    def _flags(self, none: np.ndarray) -> list[str]:
        flags: dict[int, list[str]] = {}
        marks: dict[str, Iterable[int]] = {
            OUTLIER: self._outliers,
            OUT_OF_RANGE: self._outside,
            NOT_COMPARED: np.flatnonzero(none).tolist(),
        }
        for mark, rows in marks.items():
            for row in rows:
                flags.setdefault(row, []).append(mark)
        return joined(flags, len(none))


def joined(found: dict[int, list[str]], rows: int) -> list[str]:
    """Return one text per row: what was found there, separated by semicolons; `found` is row -> texts."""
    texts = [""] * rows
    for row, names in found.items():
        texts[row] = ";".join(names)
    return texts
