"""Centiles of a measure over age, for each sex: empirical ones within a window of ages that slides along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from wirbel.report.measures import Values

CENTILES = (5, 25, 50, 75, 95)
WINDOW_YEARS = 5.0
"""Half-width of the window: ten years together, as in tables of reference values."""
STEP_YEARS = 2.0
FEWEST = 30
"""A window with fewer people gets no centiles: the 5th and the 95th would be one or two persons."""
MOST_POINTS = 300
"""People drawn behind the curves, evenly chosen."""


def age_curves(
    levels: Iterable[Values], ages: np.ndarray, sexes: tuple[np.ndarray, list[str]]
) -> list[dict[str, Any]]:
    """Return one curve for each level and sex where enough people are: ages, and centiles at each.

    `ages` (n_scans,) in years, NaN where unknown; `sexes`: codes (n_scans,), -1 where unknown, and their names.
    """
    codes, names = sexes
    return [
        curve
        for at in levels
        for code, sex in enumerate(names)
        if (curve := _curve(at, ages, codes == code, sex)) is not None
    ]


def _curve(at: Values, ages: np.ndarray, chosen: np.ndarray, sex: str) -> dict[str, Any] | None:
    kept = chosen[at.scans] & np.isfinite(ages[at.scans])
    order = np.argsort(ages[at.scans][kept], kind="stable")
    age, values = ages[at.scans][kept][order], at.values[kept][order]
    scans = at.scans[kept][order]
    if len(age) < FEWEST:
        return None
    grid, lines = centiles_over_age(age, values)
    some = np.unique(np.linspace(0, len(age) - 1, min(len(age), MOST_POINTS)).round().astype(int))
    points = [[float(age[i]), float(values[i]), int(scans[i])] for i in some]
    return {
        "level": at.level,
        "sex": sex,
        "n": len(age),
        "ages": grid.tolist(),
        "centiles": lines.T.tolist(),
        "points": points,
    }


def centiles_over_age(ages: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ages in steps of `STEP_YEARS` (m,), and `CENTILES` of the values within the window about each (m, 5).

    `ages` are sorted. Windows with fewer than `FEWEST` values hold NaN.
    """
    first, last = np.ceil(ages[0]), np.floor(ages[-1])
    grid = np.arange(first, last + 1e-6, STEP_YEARS)
    lines = np.full((len(grid), len(CENTILES)), np.nan)
    starts = np.searchsorted(ages, grid - WINDOW_YEARS, "left")
    ends = np.searchsorted(ages, grid + WINDOW_YEARS, "right")
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if end - start >= FEWEST:
            lines[place] = np.percentile(values[start:end], CENTILES)
    return grid, lines
