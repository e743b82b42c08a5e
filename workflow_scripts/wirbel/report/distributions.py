"""How a measure is spread at every level: percentiles, a histogram, and which scans stand out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from wirbel.report.measures import Values

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
BINS = 40
SHOW_ALL_BELOW = 2000
"""With fewer values than this at all levels together each one is drawn; with more, outliers alone."""
MOST_OUTLIERS = 400
"""Outliers drawn per level: those farthest from the median."""


def distribution(levels: Iterable[Values]) -> dict[str, Any]:
    """Return what the page draws of a measure: levels, number of values, percentiles, histograms, points.

    `points` are [place of the level, place of the scan, value, 1 for an outlier].
    """
    levels = list(levels)
    everything = np.concatenate([v.values for v in levels]) if levels else np.zeros(0)
    edges = _edges(everything)
    shown = len(everything) < SHOW_ALL_BELOW
    return {
        "levels": [v.level for v in levels],
        "n": [len(v.values) for v in levels],
        "percentiles": [np.percentile(v.values, PERCENTILES).tolist() for v in levels],
        "edges": edges.tolist(),
        "counts": [np.histogram(v.values, edges)[0].tolist() for v in levels],
        "points": [p for place, v in enumerate(levels) for p in _points(place, v, shown)],
    }


def norms(levels: Iterable[Values]) -> dict[str, list[float]]:
    """Return level -> number of values and percentiles: what a scan's own values are compared with."""
    return {v.level: [len(v.values), *np.percentile(v.values, PERCENTILES)] for v in levels}


def _edges(values: np.ndarray) -> np.ndarray:
    """Return the bins' edges, over the middle 99.8 % so that one wild value does not flatten all."""
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = np.percentile(values, (0.1, 99.9))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, BINS + 1)


def _points(place: int, at: Values, everything: bool) -> list[list[float]]:
    kept = np.arange(len(at.values)) if everything else np.flatnonzero(at.outliers)
    if len(kept) > MOST_OUTLIERS and not everything:
        far = np.abs(at.values[kept] - np.median(at.values))
        kept = np.sort(kept[np.argsort(-far, kind="stable")[:MOST_OUTLIERS]])
    return [[place, int(at.scans[i]), float(at.values[i]), int(at.outliers[i])] for i in kept]
