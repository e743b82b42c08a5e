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
    q, r = np.linalg.qr(design * root[:, None])
    unknown = np.flatnonzero(np.abs(np.diag(r)) <= SMALLEST_SPREAD * np.sqrt(len(values)))
    if len(unknown):
        first = unknown[0]
        return np.insert(fit(np.delete(design, first, 1), values, weights), first, 0.0)
    return np.linalg.solve(r, q.T @ (values * root))
