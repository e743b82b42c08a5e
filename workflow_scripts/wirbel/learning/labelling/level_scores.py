"""How well a labelling network answers: accuracy and macro F1 score, over what is known."""

from __future__ import annotations

import numpy as np

from wirbel.learning.labelling.level_targets import UNKNOWN


def accuracy(found: np.ndarray, true: np.ndarray) -> float:
    """Return the fraction of right answers among those with a known class, NaN if there is none.

    Parameters
    ----------
    found, true : ndarray of int, shape (n,)
        Classes; `true` has `UNKNOWN` where nothing is known.
    """
    known = true != UNKNOWN
    return float((found[known] == true[known]).mean()) if known.any() else float("nan")


def macro_f1(found: np.ndarray, true: np.ndarray) -> float:
    """Return the mean F1 score of the classes that occur among the answers or the true classes.

    Parameters
    ----------
    found, true : ndarray of int, shape (n,)
        As for `accuracy`.

    Examples
    --------
    >>> macro_f1(np.array([0, 0, 1]), np.array([0, 1, 1]))  # 2/3 of each class
    0.6666666666666666
    """
    known = true != UNKNOWN
    found, true = found[known], true[known]
    scores = []
    for value in np.union1d(found, true):
        a, b = found == value, true == value
        scores.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    return float(np.mean(scores)) if scores else float("nan")
