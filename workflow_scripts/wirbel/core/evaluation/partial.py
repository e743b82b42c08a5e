"""Compare results with references that label only some structures, or several by one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wirbel.core.evaluation.metrics import dice
from wirbel.core.label_schemes import BACKGROUND, LabelScheme, is_inside, is_undecided

Row = dict[str, Any]

RESAMPLES = 2000
"""Bootstrap samples; the limits of a 95 % interval then vary by about 3 % of its width."""
CONFIDENCE = 0.95
SEED = 20


def partial_rows(
    scan_id: str, reference: np.ndarray, scheme: LabelScheme, prediction: np.ndarray
) -> list[Row]:
    """Return the Dice of every structure that a label scheme tells apart.

    A prediction counts for a structure of theirs if its label is one that the structure covers. Voxels in which the
    reference does not say whether they belong to it (ignored ones, for example) are left out.

    Parameters
    ----------
    scan_id : str
        For the rows.
    reference : ndarray of int, shape (i, j, k)
        The reference's own numbers.
    scheme : LabelScheme
        What they mean.
    prediction : ndarray of int, shape (i, j, k)
        Our subregion labels on the same grid.
    """
    places = scheme.read(reference, scan_id)
    rows = []
    for name, labels in scheme.compared.items():
        inside = np.array([is_inside(one, labels) for one in scheme.sets])[places]
        known = np.array([not is_undecided(one, labels) for one in scheme.sets])[places]
        found = np.isin(prediction, list(labels - {BACKGROUND}))
        value = dice(inside[known], found[known])
        if value is not None:
            rows.append({"scan_id": scan_id, "structure": name, "dice": value})
    return rows


def compare_models(
    rows: Sequence[Row], others: Sequence[Row], participants: Mapping[str, str]
) -> list[Row]:
    """Return how much better one model is than another: mean difference of Dice and its confidence interval.

    Scans that both models have are paired. The bootstrap draws participants, not scans, with replacement and takes
    percentiles (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

    Parameters
    ----------
    rows, others : sequence of dict
        From `partial_rows`.
    participants : dict of str to str
        Scan -> participant.
    """
    values = [
        {(row["structure"], row["scan_id"]): row["dice"] for row in given}
        for given in (rows, others)
    ]
    compared = []
    for structure in dict.fromkeys(row["structure"] for row in rows):
        scans = [s for n, s in values[0] if n == structure and (n, s) in values[1]]
        if not scans:
            continue
        mine, theirs = ([given[structure, scan] for scan in scans] for given in values)
        low, high = _interval(
            np.subtract(mine, theirs), [participants.get(scan, scan) for scan in scans]
        )
        compared.append(
            {
                "structure": structure,
                "scans": len(scans),
                "dice": float(np.mean(mine)),
                "other_dice": float(np.mean(theirs)),
                "difference": float(np.mean(mine) - np.mean(theirs)),
                "difference_low": low,
                "difference_high": high,
            }
        )
    return compared


def _interval(differences: np.ndarray, groups: Sequence[str]) -> tuple[float, float]:
    """Return the percentiles of the mean over participants drawn with replacement."""
    _, group = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(group, weights=differences), np.bincount(group)
    drawn = np.random.default_rng(SEED).integers(0, len(sums), (RESAMPLES, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    ends = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
    low, high = np.quantile(means, ends)
    return float(low), float(high)
