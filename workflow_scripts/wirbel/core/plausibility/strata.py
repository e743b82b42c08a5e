"""Whom a row is compared with: the same level, the same sex where it is known, and its age."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wirbel.core.plausibility.scores import MINIMUM_GROUP, Reference, reference_of

Coded = tuple[np.ndarray, Sequence[Any]]
OLDEST = 120
"""Years; larger numbers are codes such as 999."""


@dataclass(frozen=True)
class Group:
    """The values that some rows of one column are compared with: codes of level and sex, -1 for all sexes."""

    level: int
    sex: int
    reference: Reference


class Strata:
    """The groups of a table's rows; made once, then used for every column.

    `levels` and `sexes` are int codes of shape (rows,), -1 where unknown, `ages` years, NaN where unknown.
    Rows without a level are compared with no other. `sex_names` are what the codes stand for.
    """

    def __init__(
        self,
        levels: np.ndarray,
        sexes: np.ndarray,
        ages: np.ndarray,
        sex_names: Sequence[str] = (),
    ) -> None:
        self._ages, self._level_codes, self._sexes = ages, levels, sexes
        self.sex_names = sex_names
        self._levels = [
            (level, _split(sexes[level], level), level[sexes[level] < 0])
            for level in _split(levels, np.arange(len(levels)))
        ]

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Return the modified z-score of each row, as `compare` does."""
        return self.compare(values)[0]

    def compare(self, values: np.ndarray) -> tuple[np.ndarray, list[Group]]:
        """Return the modified z-score of each row of `values` (shape (rows,), NaN where missing), and the groups.

        Rows are compared within their level and sex. A row of unknown sex, or whose group has fewer than
        `MINIMUM_GROUP` values, is compared with its whole level; NaN where that is too small as well.
        """
        scores = np.full(len(values), np.nan)
        known, groups = np.isfinite(values), []
        for level, by_sex, others in self._levels:
            remaining = [others[known[others]]]
            for rows in (group[known[group]] for group in by_sex):
                if len(rows) < MINIMUM_GROUP:
                    remaining.append(rows)
                    continue
                groups.append(self._group(rows, values, int(self._sexes[rows[0]])))
                scores[rows] = groups[-1].reference.scores(values[rows], self._ages[rows])
            rest, all_ = np.concatenate(remaining), level[known[level]]
            if len(rest) and len(all_) >= MINIMUM_GROUP:
                groups.append(self._group(all_, values, -1))
                scores[rest] = groups[-1].reference.scores(values[rest], self._ages[rest])
        return scores, groups

    def _group(self, rows: np.ndarray, values: np.ndarray, sex: int) -> Group:
        reference = reference_of(values[rows], self._ages[rows])
        return Group(int(self._level_codes[rows[0]]), sex, reference)


def strata_of(rows: int, level: Coded | None, sex: Coded | None, age: Coded | None) -> Strata:
    """Return the groups of a table by its columns, each (codes of shape (rows,), values) or None if absent.

    Sexes are told apart by their text in any case, F or f; ages may be written as BIDS asks, "89+".

    Parameters
    ----------
    rows : int
        Number of rows.
    level, sex, age : Coded or None
        See above; `age` in years.

    Returns
    -------
    Strata
    """
    levels = np.zeros(rows, int) if level is None else level[0]
    sexes, ages = np.full(rows, -1), np.full(rows, np.nan)
    names: list[str] = []
    if sex is not None:
        texts = [str(value).casefold() for value in sex[1]]
        names = [str(value) for value in sex[1]]
        sexes = np.array([*map(texts.index, texts), -1])[sex[0]]
    if age is not None:
        ages = np.array([*map(as_age, age[1]), np.nan])[age[0]]
    return Strata(levels, sexes, ages, names)


def as_age(value: Any) -> float:
    """Return an age in years; NaN for what cannot be one, such as a code for a missing value."""
    try:
        years = float(str(value).strip().removesuffix("+"))
    except ValueError:
        return math.nan
    return years if 0 <= years <= OLDEST else math.nan


def _split(codes: np.ndarray, rows: np.ndarray) -> Sequence[np.ndarray]:
    """Return `rows` by their code, in the order of codes and rows, those of code -1 left out."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(codes.max(initial=-1) + 2))
    return [rows[order[a:b]] for a, b in zip(starts, starts[1:], strict=False) if b > a]
