"""Where the middle of a canal lies that leaves the slices, so that the border cuts off a flank of it.

What is seen of it lies to one side, and its centreline with it. The other flank is whole and tells where the middle
is: half of a width away, the width that the canal has where it is seen as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

IN_PASSING = 0.2
"""A slice with less of the canal than this part of what the fullest one shows lies beside it."""
SMOOTHING_MM = 16.0
"""Flanks are means over this length along the canal: they lie on the borders between slices, and move in steps."""
MOST = 90
"""Percentile of the widths of what is seen: where the border cuts little, that is nearly all of the canal."""
ASIDE_MM = 2.0
"""The middle may lie so far beyond the middle of the outermost slice: an oval canal is 1 to 2 % less deep there."""


@dataclass(frozen=True)
class Middle:
    """At each position along the centreline: the middle (index of slices), whether a flank is cut, and whether so much
    of it that the middle is out of view.
    """

    index: np.ndarray
    cut: np.ndarray
    hidden: np.ndarray


def canal_middle(
    density: np.ndarray,
    outer: tuple[np.ndarray, np.ndarray],
    middle: np.ndarray,
    steps_mm: tuple[float, float],
    usual_width: float,
) -> Middle:
    """Return where the middle of a canal lies.

    Parameters
    ----------
    density : ndarray, shape (slices, positions)
        How much each slice shows of the canal at each position.
    outer : two ndarrays of bool, shape (slices,)
        Which slices lie at the border of the scan: at its first side, and at its last.
    middle : ndarray, shape (positions,)
        The centreline, as an index of slices.
    steps_mm : two float
        Distance between slices, and between positions.
    usual_width : float
        The width, in slices, to think of where the canal is seen as a whole nowhere.
    """
    shown = density > IN_PASSING * density.max(0)
    first, last = _ends(shown)
    low, high = ((shown & side[:, None]).any(0) for side in outer)
    whole = shown.any(0) & ~low & ~high
    one = (low ^ high) & shown.any(0)
    if not one.any():
        return Middle(middle, low | high, np.zeros(len(middle), bool))
    seen = last - first
    width = float(np.median(seen[whole])) if whole.any() else usual_width
    width = max(width, float(np.percentile(seen[one], MOST)))
    found = _smooth(np.where(low, last - width / 2, first + width / 2), one, steps_mm[1])
    index = np.where(low, np.minimum(found, middle), np.maximum(found, middle))
    index = np.where(one, index, middle)
    beyond = np.where(low, first + 0.5 - index, index - last + 0.5)
    return Middle(index, low | high, one & (beyond * steps_mm[0] > ASIDE_MM))


def _ends(shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the borders of the first and after the last slice that shows something, at each position."""
    first = shown.argmax(0) - 0.5
    return first, len(shown) - shown[::-1].argmax(0) - 0.5


def _smooth(values: np.ndarray, known: np.ndarray, at_mm: float) -> np.ndarray:
    """Return means of the known values over `SMOOTHING_MM` along the canal."""
    length = 2 * round(SMOOTHING_MM / 2 / at_mm) + 1
    total, number = (
        ndimage.uniform_filter1d(part, length, mode="constant")
        for part in (np.where(known, values, 0.0), np.where(known, 1.0, 0.0))
    )
    return total / np.maximum(number, 1e-9)
