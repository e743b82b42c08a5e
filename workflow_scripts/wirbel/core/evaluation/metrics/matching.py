"""Which predicted vertebra is which of the reference: by overlap and by their order along the spine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wirbel.core.evaluation.metrics.overlap import joint_histogram
from wirbel.core.labels import BODY_LABELS, LEVEL_NAMES, LEVELS_TOP_DOWN, SACRUM

MATCHING_DICE = 0.5
"""A vertebra counts as found if a prediction overlaps it with a larger Dice."""


@dataclass(frozen=True)
class Match:
    """A reference vertebra and the prediction that overlaps it best.

    Attributes
    ----------
    reference : int
        Label in the reference.
    predicted : int or None
        Label of the prediction; None if no overlap exceeds `MATCHING_DICE`.
    dice : float
        Dice of the best overlap, in either case.
    in_order : bool
        Whether the predicted vertebrae are in the same order as the reference's.
    """

    reference: int
    predicted: int | None
    dice: float
    in_order: bool

    @property
    def found(self) -> bool:
        """Whether the vertebra was found in its right place among its neighbours."""
        return self.predicted is not None and self.in_order


def match_vertebrae(reference: np.ndarray, prediction: np.ndarray) -> list[Match]:
    """Match the vertebrae of two vertebra maps by overlap, whatever their numbers.

    Pairs are formed by falling Dice, each vertebra once, down to `MATCHING_DICE`.

    Parameters
    ----------
    reference, prediction : ndarray of int, shape (i, j, k)
        Vertebra maps on one grid.

    Returns
    -------
    list of Match
        One for each vertebra of the reference, from the top down.
    """
    joint = joint_histogram(reference, prediction)
    mine = [v for v in vertebra_order(joint.shape[0]) if joint[v].any()]
    theirs = [v for v in vertebra_order(joint.shape[1]) if joint[:, v].any()]
    if not mine:
        return []
    scores = np.zeros((len(mine), max(len(theirs), 1)))
    for i, one in enumerate(mine):
        for k, other in enumerate(theirs):
            total = joint[one].sum() + joint[:, other].sum()
            scores[i, k] = 2 * joint[one, other] / total
    pairs = _best_pairs(scores)
    ordered = _longest_rising([(i, pairs[i]) for i in sorted(pairs)])
    return [
        Match(
            reference=one,
            predicted=theirs[pairs[i]] if i in pairs else None,
            dice=float(scores[i, pairs[i]] if i in pairs else scores[i].max()),
            in_order=i in ordered,
        )
        for i, one in enumerate(mine)
    ]


def invented_vertebrae(
    reference: np.ndarray,
    prediction: np.ndarray,
    matches: Sequence[Match],
    *,
    complete_reference: bool = True,
) -> list[int]:
    """Return the predicted vertebrae that match no vertebra of the reference.

    Parameters
    ----------
    reference, prediction : ndarray of int, shape (i, j, k)
        Vertebra maps on one grid.
    matches : sequence of Match
        From `match_vertebrae`.
    complete_reference : bool
        If False, the reference shows only some vertebrae, and a prediction counts as invented only
        if at least half of it lies on a vertebra of the reference.
    """
    matched = {match.predicted for match in matches}
    joint = joint_histogram(reference, prediction)
    free = [v for v in vertebra_order(joint.shape[1]) if joint[:, v].any() and v not in matched]
    if complete_reference:
        return free
    rows = vertebra_order(joint.shape[0])
    return [v for v in free if joint[rows, v].sum() >= 0.5 * joint[:, v].sum()]


def vertebra_order(size: int = 256) -> list[int]:
    """Return the labels of presacral vertebrae below `size`, from the top down."""
    return [v for v in LEVELS_TOP_DOWN if v != SACRUM and v < size]


def level_name(label: int | None) -> str | None:
    """Return the level of a vertebra label, or None for None."""
    return None if label is None else LEVEL_NAMES[label]


def bodies_only(vertebra: np.ndarray, subregion: np.ndarray) -> np.ndarray:
    """Return the vertebra map with everything except vertebral bodies set to background."""
    return np.where(np.isin(subregion, BODY_LABELS), vertebra, 0)


def _best_pairs(scores: np.ndarray) -> dict[int, int]:
    """Return {row: column} by falling score above `MATCHING_DICE`, each row and column once."""
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for flat in np.argsort(-scores, axis=None, kind="stable"):
        i, k = divmod(int(flat), scores.shape[1])
        if scores[i, k] <= MATCHING_DICE:
            break
        if i not in pairs and k not in used:
            pairs[i] = k
            used.add(k)
    return pairs


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Return the rows of the longest run of pairs (row, column) whose columns rise with the rows."""
    best: list[list[int]] = []
    for at, (row, column) in enumerate(pairs):
        before = [best[k] for k in range(at) if pairs[k][1] < column]
        longest: list[int] = max(before, key=lambda run: len(run), default=[])
        best.append([*longest, row])
    longest_of_all: list[int] = max(best, key=lambda run: len(run), default=[])
    return set(longest_of_all)
