"""Change of a person's measures from the first session to later ones, against what repeated measuring explains."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wirbel.core.dictionary.column import Column
from wirbel.core.labels import LEVEL_LABELS, region_of
from wirbel.core.plausibility.flags import Categories, Numbers, complete_values, joined

Coded = tuple[np.ndarray, list[Any]]


@dataclass(frozen=True)
class Pairs:
    """Rows of one table that show the same level of one person: in the first session, and in a later one."""

    first: np.ndarray
    later: np.ndarray


def find_pairs(people: Coded, sessions: Coded, levels: np.ndarray) -> Pairs:
    """Return every row of a later session with its row in the person's first one, in the order of the rows.

    All are codes of shape (rows,), -1 where missing, and what they stand for. Sessions follow each other by their
    names, numbers in them by size. Of several runs in one session the first that has the level counts.
    """
    ranks = np.append(session_ranks(sessions[1]), -1)[sessions[0]]
    rows = np.arange(len(ranks))
    order = np.lexsort((rows, ranks, levels, people[0]))
    order = order[(people[0][order] >= 0) & (levels[order] >= 0)]
    keys = np.column_stack([people[0][order], levels[order]])
    new = np.append([True], (np.diff(keys, axis=0) != 0).any(1))[: len(order)]
    first = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    other = np.append([False], np.diff(ranks[order]) != 0)[: len(order)] & ~new
    by_row = np.argsort(order[other], kind="stable")
    return Pairs(first[other][by_row], order[other][by_row])


def session_ranks(names: Sequence[str]) -> np.ndarray:
    """Return the place of each session in their order: "ses-2" before "ses-10"."""

    def key(name: str) -> list:
        parts = re.split(r"(\d+)", name)
        return [(int(p), "") if p.isdigit() else (-1, p) for p in parts]

    order = sorted(range(len(names)), key=lambda k: (key(str(names[k])), str(names[k])))
    return np.argsort(order) if order else np.empty(0, int)


def smallest_detectable(
    figures: Mapping[str, Any] | None, levels: Sequence[str]
) -> dict[str, float]:
    """Return level -> the smallest detectable change: 1.96 * sqrt(2) * SEM, inf where it is not known.

    That is what 95 % of the differences between repeated scans stay below, in the level's region of the spine; where
    reslicing one scan's label map makes larger ones, these.
    """
    if not figures:
        return dict.fromkeys(levels, np.inf)
    least = figures.get("Difference95Resliced", 0.0)
    regions = figures.get("Difference95ByRegion", {})
    overall = figures["Difference95"]
    return {level: max(least, regions.get(_region(level), overall)) for level in levels}


def _region(level: str) -> str:
    """Return the region of a vertebra, or of the one above a disc; empty for a whole scan."""
    label = LEVEL_LABELS.get(level.split("-")[0])
    return "" if label is None else region_of(label)


def change_columns(
    columns: Sequence[Column],
    pairs: Pairs,
    levels: Coded | None,
    repeatability: Mapping[str, Mapping[str, Any]],
    readers: tuple[Numbers, Categories],
) -> dict[str, Sequence[Any]]:
    """Return the change of every measure of a table, and the names of those that changed and that lack a partner.

    Parameters
    ----------
    columns : sequence of Column
        Those that the table declares.
    pairs : Pairs
        Rows of first and later sessions.
    levels : Coded or None
        Level of each row.
    repeatability : mapping
        Measure -> how far it varies when repeated.
    readers : tuple
        Two functions that give a column: as numbers, as codes.

    Returns
    -------
    dict of str to sequence
        Column -> one value per pair.
    """
    numbers, categories = readers
    codes, names = levels if levels else (np.zeros(0, int), [""])
    at = codes[pairs.later] if levels else np.zeros(len(pairs.later), int)
    found: dict[str, Sequence[Any]] = {}
    changed: dict[int, list[str]] = {}
    once: dict[int, list[str]] = {}
    for column in (c for c in columns if c.is_scored):
        values = complete_values(column, columns, numbers(column.name), categories)
        before, after = values[pairs.first], values[pairs.later]
        change = np.round(after - before, column.decimals) + 0.0
        found[f"{column.name}_change"] = change
        limits = smallest_detectable(repeatability.get(column.name), names)
        limit = np.array([limits[name] for name in names])[at]
        for named, where in (
            (changed, np.abs(change) > limit),
            (once, np.isfinite(before) != np.isfinite(after)),
        ):
            for row in np.flatnonzero(where).tolist():
                named.setdefault(row, []).append(column.name)
    rows = len(pairs.later)
    return found | {"changed_columns": joined(changed, rows), "measured_once": joined(once, rows)}
