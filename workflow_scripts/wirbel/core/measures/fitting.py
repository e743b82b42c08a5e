"""Least squares that leave out what the points do not tell."""

from __future__ import annotations

import numpy as np

SMALLEST_SPREAD = 0.02
"""A column is left out when the part of it that those before do not explain is smaller (root mean square, columns being
of the order of 1): the points of a single slice hardly differ from side to side and must not decide on a slope."""


def fit(design: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the coefficients (k,) of `design` (n, k) that fit `values` (n,) best, by weighted least squares.

    Columns come in the order of their importance, scaled so that they reach about 1 over the range that the
    fit is meant for. The coefficient of a column that is left out (`SMALLEST_SPREAD`) is 0.
    """
    root = np.sqrt(np.ones(len(values)) if weights is None else weights / weights.mean())
    weighted = design * root[:, None]
    known, kept = np.empty((len(values), 0)), []
    for number, column in enumerate(weighted.T):
        rest = column - known @ (known.T @ column)
        length = np.linalg.norm(rest)
        if length > SMALLEST_SPREAD * np.sqrt(len(values)):
            known = np.column_stack([known, rest / length])
            kept.append(number)
    coefficients = np.zeros(design.shape[1])
    coefficients[kept] = np.linalg.lstsq(weighted[:, kept], values * root, rcond=None)[0]
    return coefficients
