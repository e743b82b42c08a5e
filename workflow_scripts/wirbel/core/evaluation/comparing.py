"""Means with confidence intervals, and two models compared scan by scan.

Scans of one person are not independent, so intervals and tests are over participants, not scans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

Row = dict[str, Any]

RESAMPLES = 2000
"""Bootstrap samples; the limits of a 95 % interval then vary by about 3 % of its width."""
CONFIDENCE = 0.95
SEED = 20
MEAN = "mean over structures"
ROUNDING = 12
"""Decimals to which differences are rounded before they are ranked, so that equal ones are equal."""


def means(
    rows: Sequence[Row], metrics: Iterable[str], participants: Mapping[str, str]
) -> list[Row]:
    """Return the mean of every structure's metrics over scans, with its confidence interval.

    Parameters
    ----------
    rows : sequence of dict
        `scan_id`, `structure` and values; None is left out, and `scans` says how many are in.
    metrics : iterable of str
        Names of the values.
    participants : mapping of str to str
        Scan -> participant.
    """
    found = []
    for structure in dict.fromkeys(row["structure"] for row in rows):
        mine = [row for row in rows if row["structure"] == structure]
        for metric in metrics:
            there = [row for row in mine if row.get(metric) is not None]
            if not there:
                continue
            values = np.array([row[metric] for row in there], float)
            people = [participants.get(row["scan_id"], row["scan_id"]) for row in there]
            low, high = interval(values, people)
            found.append(
                {
                    "structure": structure,
                    "metric": metric,
                    "rows": len(mine),
                    "scored": len(there),
                    "mean": float(values.mean()),
                    "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
                    "low": low,
                    "high": high,
                }
            )
    return found


def over_structures(rows: Sequence[Row], metrics: Iterable[str]) -> list[Row]:
    """Return one row per scan: the mean of each metric over its structures, as a structure of its own."""
    found = []
    for scan in dict.fromkeys(row["scan_id"] for row in rows):
        mine = [row for row in rows if row["scan_id"] == scan]
        row = {"scan_id": scan, "structure": MEAN}
        for metric in metrics:
            values = [one[metric] for one in mine if one.get(metric) is not None]
            row[metric] = float(np.mean(values)) if values else None
        found.append(row)
    return found


def compare_models(
    rows: Sequence[Row],
    others: Sequence[Row],
    participants: Mapping[str, str],
    metrics: Iterable[str] = ("dice",),
) -> list[Row]:
    """Return how much one model differs from another, with confidence intervals and a paired test.

    Only scans with a value of both models are paired. The bootstrap draws participants with replacement and takes
    percentiles (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). The test is Wilcoxon's
    signed-rank test (two-sided) on the participants' mean differences.

    Parameters
    ----------
    rows, others : sequence of dict
        `scan_id`, `structure` and values.
    participants : mapping of str to str
        Scan -> participant.
    metrics : iterable of str
        Names of the values.
    """
    compared = []
    for structure in dict.fromkeys(row["structure"] for row in rows):
        for metric in metrics:
            mine, theirs = (_values(given, structure, metric) for given in (rows, others))
            scans = [scan for scan in mine if scan in theirs]
            if scans:
                values, others_values = (
                    np.array([one[scan] for scan in scans]) for one in (mine, theirs)
                )
                people = [participants.get(scan, scan) for scan in scans]
                row = {"structure": structure, "metric": metric, "scans": len(scans)}
                compared.append(row | _difference(values, others_values, people))
    return compared


def interval(values: np.ndarray, groups: Sequence[str]) -> tuple[float, float]:
    """Return the percentiles of the mean over participants drawn with replacement."""
    sums, counts = _by_group(values, groups)
    drawn = np.random.default_rng(SEED).integers(0, len(sums), (RESAMPLES, len(sums)))
    drawn_means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(drawn_means, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return float(low), float(high)


def wilcoxon(differences: np.ndarray, groups: Sequence[str]) -> float | None:
    """Return the p value of the signed-rank test on participants' mean differences; None if all are 0.

    Examples
    --------
    >>> wilcoxon(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), list("abcdef"))  # 2 / 2**6
    0.03125
    """
    sums, counts = _by_group(differences, groups)
    each = np.round(sums / counts, ROUNDING)
    return float(stats.wilcoxon(each).pvalue) if each.any() else None


def _difference(mine: np.ndarray, theirs: np.ndarray, people: Sequence[str]) -> Row:
    differences = mine - theirs
    low, high = interval(differences, people)
    return {
        "participants": len(set(people)),
        "mean": float(mine.mean()),
        "other_mean": float(theirs.mean()),
        "difference": float(differences.mean()),
        "difference_low": low,
        "difference_high": high,
        "wilcoxon_p": wilcoxon(differences, people),
    }


def _values(rows: Sequence[Row], structure: str, metric: str) -> dict[str, float]:
    return {
        row["scan_id"]: row[metric]
        for row in rows
        if row["structure"] == structure and row.get(metric) is not None
    }


def _by_group(values: np.ndarray, groups: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    _, group = np.unique(groups, return_inverse=True)
    return np.bincount(group, weights=values), np.bincount(group)
