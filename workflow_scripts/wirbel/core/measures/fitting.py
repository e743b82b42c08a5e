"""Least squares that leave out what the points do not tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy.optimize import least_squares

SMALLEST_SPREAD = 0.02
"""A column is left out when the part of it that those before do not explain is smaller (root mean square, columns being
of the order of 1): the points of a single slice hardly differ from side to side and must not decide on a slope."""


def fit(design: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the coefficients (k,) of `design` (n, k) that fit `values` (n,) best, by weighted least squares.

    Columns come in the order of their importance, scaled so that they reach about 1 over the range that the
    fit is meant for. The coefficient of a column that is left out (`SMALLEST_SPREAD`) is 0.
    """
    scaled, aims = design, values
    if weights is not None:
        root = np.sqrt(weights / weights.mean())
        scaled, aims = design * root[:, None], values * root
    q, r = np.linalg.qr(scaled)
    unknown = np.flatnonzero(np.abs(np.diag(r)) <= SMALLEST_SPREAD * np.sqrt(len(values)))
    if len(unknown):
        first = unknown[0]
        return np.insert(fit(np.delete(design, first, 1), values, weights), first, 0.0)
    return np.linalg.solve(r, q.T @ aims)


def robust_fit(
    misfits: Callable[[np.ndarray], np.ndarray],
    start: list[float],
    bounds: tuple[list[float], list[float]],
    scatter: float,
    x_scale: float | str = 1.0,
) -> np.ndarray:
    """Return the numbers (k,) within bounds that make misfits smallest, of which large ones count less and less.

    Slopes are differences between trials (soft L1 loss, trust region of `scipy.optimize.least_squares`); all trials of
    one step are computed in one call, because the points are few and calls cost more than arithmetic.

    Parameters
    ----------
    misfits : callable
        Maps trials (t, k) to the misfits (t, n) of each.
    start : list of float
        The first trial (k,).
    bounds : tuple of two lists of float
        Least and largest numbers.
    scatter : float
        Beyond this, misfits count less.
    x_scale : float or "jac"
        The numbers' usual sizes, as `least_squares` takes them.
    """

    def together(_: Callable, trials: Iterable[np.ndarray]) -> np.ndarray:
        return misfits(np.array(list(trials)))

    return least_squares(
        lambda trial: misfits(trial[None])[0],
        start,
        bounds=bounds,
        loss="soft_l1",
        f_scale=scatter,
        x_scale=x_scale,
        workers=together,
    ).x
