"""A closed curve about a cross-section of canal or cord, fitted below slice thickness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import beta

from wirbel.core.measures.fitting import robust_fit

SCATTER_MM = 1.0
"""Residuals beyond this count less and less (soft L1 loss): about one in-plane voxel."""
HOLD_MM = 0.15
"""Misfit per point that one spread away from the usual form is worth."""
BETWEEN_SLICES = 0.3
"""Weight of what the slices themselves say about the flanks: not inside of the outermost that shows the
structure, not beyond the next one."""


@dataclass(frozen=True)
class Form:
    """What a structure's section usually looks like, and how far it strays.

    `exponents`: smallest, usual and largest exponent of both halves: 1 is a straight-sided gable, 2 an
    ellipse. `aspect`: usual width over depth. Spreads are those of the logarithm. Where more than `slices_enough`
    slices show the structure, they tell its form, and the usual one is held to less and less.
    """

    exponents: tuple[float, float, float]
    exponent_spread: float
    aspect: float
    aspect_spread: float
    halves_spread: float
    slices_enough: int = 99


CANAL_FORM = Form((0.9, 1.9, 4.0), 0.2, 1.35, 0.3, 1.0)
"""Oval in the thorax, triangular where the laminae meet (Panjabi et al., Spine 1991;16:861). Held near an
oval: a slice more or less at a flank must not turn it into a gable or a box."""
CORD_FORM = Form((2.0, 2.0, 2.01), 1.0, 1.6, 0.4, 0.09, 2)
"""An ellipse, 1.3 to 1.9 times as wide as deep (Frostell et al., Front Neurol 2016;7:238)."""


@dataclass(frozen=True)
class ClosedCurve:
    """Two half superellipses that share their width: depth and exponent of the front and of the back."""

    width_mm: float
    front_mm: float
    back_mm: float
    right_mm: float
    anterior_mm: float
    front_exponent: float
    back_exponent: float

    def area_mm2(self) -> float:
        """Area inside."""
        halves = ((self.front_mm, self.front_exponent), (self.back_mm, self.back_exponent))
        return sum(self.width_mm * d * beta(1 / n, 1 + 1 / n) / n for d, n in halves)

    def mean_depth_mm(self, across_mm: float) -> float:
        """Mean extent from back to front over so much of the width in the middle."""
        u = np.minimum(np.abs(np.linspace(-across_mm, across_mm, 21) / self.width_mm), 1.0)
        front = self.front_mm * (1 - u**self.front_exponent) ** (1 / self.front_exponent)
        back = self.back_mm * (1 - u**self.back_exponent) ** (1 / self.back_exponent)
        return float(np.mean(front + back))

    def radius(self, points: np.ndarray) -> np.ndarray:
        """Return 1 on the curve, less inside, for points (n, 2) of right and anterior mm."""
        x = np.abs(points[:, 0] - self.right_mm) / (self.width_mm / 2)
        y = points[:, 1] - self.anterior_mm
        front = y > 0
        n = np.where(front, self.front_exponent, self.back_exponent)
        y = np.abs(y) / np.where(front, self.front_mm, self.back_mm)
        return (x**n + y**n + 1e-12) ** (1 / n)

    def distance_mm(self, points: np.ndarray) -> np.ndarray:
        """Return roughly how far points lie outside (positive) or inside, mm."""
        radius = self.radius(points)
        aside, ahead = points[:, 0] - self.right_mm, points[:, 1] - self.anterior_mm
        return (radius - 1) / np.maximum(radius, 0.2) * np.sqrt(aside**2 + ahead**2)


def fit_closed_curve(
    points: np.ndarray,
    form: Form,
    slices: tuple[float, float, float],
    weights: np.ndarray | float = 1.0,
    cut: tuple[bool, bool] = (False, False),
) -> ClosedCurve:
    """Fit a closed curve to points on the edge of a section.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Right and anterior mm.
    form : Form
        The usual form, which decides where points do not.
    slices : tuple of float
        Right mm of the first and the last slice that show the structure, and their distance.
    weights : ndarray, shape (n,), or float
        Of the points, at most 1.
    cut : tuple of bool
        Whether the border of the scan ends the slices on the left, and on the right: the structure may go on beyond.
    """
    first, last, step = slices
    low, high = np.percentile(points, (1, 99), axis=0)
    wide, deep = np.maximum(high - low, 2.0)
    right, anterior = (low + high) / 2
    small, usual, large = form.exponents
    start = [wide + step / 2, deep / 2, deep / 2, right, anterior, usual + 1e-3, usual + 1e-3]
    reach = wide / 2 + 4
    lower = [wide * 0.7, deep * 0.15, deep * 0.15, right - reach, low[1] - 1, small, small]
    upper = [
        wide * 1.4 + 2 * step,
        deep * 1.2,
        deep * 1.2,
        right + reach,
        high[1] + 1,
        large,
        large,
    ]
    root = np.sqrt(len(points))
    shown = (last - first) / step + 1
    hold = HOLD_MM * min(1.0, form.slices_enough / shown) ** 2

    open_ended = np.array([cut[0], False, cut[1], False])

    def misfits(trials: np.ndarray) -> np.ndarray:
        curve: Any = ClosedCurve(*trials.T[..., None])  # one curve for each row of numbers
        depth = curve.front_mm + curve.back_mm
        unusual = [
            np.log(curve.front_exponent / usual) / form.exponent_spread,
            np.log(curve.back_exponent / usual) / form.exponent_spread,
            np.log(curve.width_mm / depth / form.aspect) / form.aspect_spread,
            np.log(curve.front_mm / curve.back_mm) / form.halves_spread,
        ]
        left, right = (curve.right_mm + side * curve.width_mm / 2 for side in (-1, 1))
        ends = [first - step - left, left - first, right - last - step, last - right]
        beyond = np.where(open_ended, 0, np.maximum(np.hstack(ends), 0))
        held = hold * np.hstack(unusual), BETWEEN_SLICES * beyond
        return np.hstack([weights * curve.distance_mm(points), *(root * part for part in held)])

    return ClosedCurve(*map(float, robust_fit(misfits, start, (lower, upper), SCATTER_MM)))
