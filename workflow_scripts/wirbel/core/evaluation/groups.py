"""Part the rows of an evaluation by a column: a person's, a scan's, or the level of a vertebra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wirbel.core.evaluation.comparing import means
from wirbel.core.evaluation.metrics.surfaces import MASK_METRICS
from wirbel.core.evaluation.paper_table import scored_rows
from wirbel.core.labels import down_the_spine

Row = dict[str, Any]

MOST_GROUPS = 8
"""A column of numbers with more different values than this is parted into thirds."""
UNKNOWN = "n/a"


def grouped(rows: Sequence[Row], of_scan: Mapping[str, str]) -> dict[str, list[Row]]:
    """Return group -> rows; a scan without a value is in the group `n/a`, which comes last.

    Parameters
    ----------
    rows : sequence of dict
        With `scan_id`.
    of_scan : mapping of str to str
        Scan -> group.
    """
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(of_scan.get(row["scan_id"]) or UNKNOWN, []).append(row)
    order = [name for name in dict.fromkeys(of_scan.values()) if name in found and name != UNKNOWN]
    return {name: found[name] for name in (*order, *([UNKNOWN] if UNKNOWN in found else []))}


def groups_of(cells: Mapping[str, str | None]) -> dict[str, str]:
    """Return the group of every scan by its cell: the cell itself, or a third of the range of many numbers.

    Groups come in ascending order.

    Parameters
    ----------
    cells : mapping of str to str or None
        Scan -> what a table says of it; None or "n/a" if nothing.

    Examples
    --------
    >>> groups_of({"a": "F", "b": "M", "c": None})
    {'a': 'F', 'b': 'M', 'c': 'n/a'}
    >>> sorted(set(groups_of({str(age): str(age) for age in range(20, 29)}).values()))
    ['20 to 22', '23 to 25', '26 to 28']
    """
    known = {scan: cell for scan, cell in cells.items() if cell and cell != UNKNOWN}
    numbers = _numbers(known)
    many = numbers is not None and len(set(numbers.values())) > MOST_GROUPS
    if numbers is not None and many:
        known = _thirds(numbers)
    elif numbers is not None:
        known = dict(sorted(known.items(), key=lambda item: numbers[item[0]]))
    else:
        known = dict(sorted(known.items(), key=lambda item: item[1]))
    missing = {scan: UNKNOWN for scan in cells if scan not in known}
    return known | missing


def group_means(
    column: str,
    rows: Mapping[str, Sequence[Row]],
    groups: Mapping[str, str],
    participants: Mapping[str, str],
) -> list[Row]:
    """Return the means of every group of scans in every metric of the table; see `means`.

    Parameters
    ----------
    column : str
        What the groups were made by.
    rows : mapping of str to sequence of dict
        `structures`, `panoptic` and `instances` of one model.
    groups, participants : mapping of str to str
        Scan -> group and participant.
    """
    names = ("structures", "panoptic", "instances")
    parts = {name: grouped(rows[name], groups) for name in names}
    present = {group for part in parts.values() for group in part}
    found = []
    for group in (name for name in dict.fromkeys((*groups.values(), UNKNOWN)) if name in present):
        mine = {name: parts[name].get(group, []) for name in names}
        for scored, metrics in scored_rows(mine):
            found += _told(column, group, means(scored, metrics, participants))
    return found


def level_means(instances: Sequence[Row], participants: Mapping[str, str]) -> list[Row]:
    """Return the means of the reference's vertebrae level by level, from the top down."""
    by_level: dict[str, list[Row]] = {}
    for row in instances:
        if not row["invented"]:
            right = {"structure": "vertebra", "level_right": float(row["level_right"])}
            by_level.setdefault(row["reference_level"], []).append(row | right)
    found = []
    for level in down_the_spine(by_level):
        metrics = (*MASK_METRICS, "level_right")
        found += _told("level", level, means(by_level[level], metrics, participants))
    return found


def _told(column: str, group: str, rows: Sequence[Row]) -> list[Row]:
    return [{"column": column, "group": group, **row} for row in rows]


def _numbers(cells: Mapping[str, str]) -> dict[str, float] | None:
    try:
        return {scan: float(cell) for scan, cell in cells.items()}
    except ValueError:
        return None


def _thirds(numbers: Mapping[str, float]) -> dict[str, str]:
    """Return scan -> "smallest to largest" of its third; equal numbers are in one third."""
    limits = np.quantile(list(numbers.values()), (1 / 3, 2 / 3))
    places = {scan: int(np.searchsorted(limits, value)) for scan, value in numbers.items()}
    found: dict[str, str] = {}
    for place in sorted(set(places.values())):
        mine = {scan: numbers[scan] for scan in numbers if places[scan] == place}
        found |= dict.fromkeys(mine, f"{min(mine.values()):g} to {max(mine.values()):g}")
    return found
