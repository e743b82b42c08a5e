"""Implicit shapes in a vertebra's own frame: negative inside, roughly millimetres near the surface.

Local coordinates are (right, anterior, superior) in mm. Functions take three broadcastable arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Coordinates = tuple[np.ndarray, np.ndarray, np.ndarray]
ROUNDING = 1e-4
"""Points nearer than this to a limit count as within it: whether they are is then computed."""


def computed_where(near: np.ndarray, function: Callable, *arrays: np.ndarray) -> np.ndarray:
    """Return `function` of arrays, elementwise, where `near`, and infinity elsewhere: powers take most of the time."""
    found = np.full(near.shape, np.inf)
    found[near] = function(*(np.broadcast_to(array, near.shape)[near] for array in arrays))
    return found


@dataclass(frozen=True)
class Blob:
    """A superellipsoid: the columns of `axes` are its directions, `half_mm` its half sizes along them."""

    centre: np.ndarray
    axes: np.ndarray
    half_mm: np.ndarray
    exponent: float = 2.6

    def reach_mm(self) -> np.ndarray:
        """Return half the size of the axis-aligned box (local frame) that contains the shape."""
        return np.abs(self.axes) @ self.half_mm

    def signed_mm(self, p: Coordinates) -> np.ndarray:
        """Return the implicit value at local coordinates; infinity outside the box around the shape."""
        offset = [c - o for c, o in zip(p, self.centre, strict=True)]
        along = [
            np.abs((axis[0] * offset[0] + axis[1] * offset[1] + axis[2] * offset[2]) / half)
            for axis, half in zip(self.axes.T, self.half_mm, strict=True)
        ]
        near = (along[0] < 1) & (along[1] < 1) & (along[2] < 1)
        return computed_where(near, self._value, *along)

    def _value(self, *along: np.ndarray) -> np.ndarray:
        """Return the implicit value at fractions of the half sizes."""
        total = sum(u**self.exponent for u in along)
        return (total ** (1 / self.exponent) - 1) * self.half_mm.min()


def rod(
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    half_mm: tuple[float, float],
    side: tuple[float, float, float] = (0.0, 0.0, 1.0),
    exponent: float = 2.6,
) -> Blob:
    """Return a blob from `start` to `end`; `half_mm` are its half sizes across, first along `side`."""
    a, b = np.asarray(start, float), np.asarray(end, float)
    along = (b - a) / np.linalg.norm(b - a)
    across = np.asarray(side, float) - along * np.dot(side, along)
    across /= np.linalg.norm(across)
    axes = np.stack([along, across, np.cross(along, across)], axis=1)
    half = np.array([np.linalg.norm(b - a) / 2, *half_mm])
    return Blob((a + b) / 2, axes, half, exponent)


@dataclass(frozen=True)
class Body:
    """A vertebral body: a superelliptic waisted column between two tilted, concave endplates.

    The superior axis bisects the endplates.

    Attributes
    ----------
    depth_mm, width_mm : float
        Of the endplates' rims.
    height_anterior_mm, height_posterior_mm : float
        Rim to rim, at the very front and back.
    concavity_mm : tuple of two float
        How deep each endplate (upper, lower) dips at its centre.
    middle_loss_mm : float
        Further loss of height in the middle.
    waist : float
        Fraction by which the section shrinks half-way up.
    hollow : float
        Relative depth of the concave posterior wall.
    exponent : float
        Of the superellipse.
    """

    depth_mm: float
    width_mm: float
    height_anterior_mm: float
    height_posterior_mm: float
    concavity_mm: tuple[float, float]
    middle_loss_mm: float
    waist: float
    hollow: float
    exponent: float

    @property
    def height_mm(self) -> float:
        """Rim height at mid-depth."""
        return (self.height_anterior_mm + self.height_posterior_mm) / 2

    def scaled(self, r: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distances from the axis to the side, and to front or back; 1 at the endplates' rims."""
        u, v = np.abs(2 * r / self.width_mm), 2 * a / self.depth_mm
        behind = 1 - self.hollow * np.clip(1 - u**2, 0, 1)  # the back wall bends inwards
        return u, np.where(v < 0, -v / behind, v)

    def radius(self, r: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Return the relative distance from the axis; 1 at the endplates' rims."""
        return self._power(*self.scaled(r, a))

    def _power(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return (u**self.exponent + v**self.exponent) ** (1 / self.exponent)

    def _dip(self, r: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Return how far endplates dip, of their concavity: 1 at the centre, 0 from the rim on."""
        u, v = self.scaled(r, a)
        return np.clip(1 - computed_where(np.maximum(u, v) < 1, self._power, u, v) ** 2, 0, 1)

    def _rim(self, a: np.ndarray) -> np.ndarray:
        t = np.clip(a / self.depth_mm + 0.5, 0, 1)
        return self.height_posterior_mm + t * (self.height_anterior_mm - self.height_posterior_mm)

    def upper_mm(self, r: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Return the height of the upper endplate's outer surface above the centre."""
        return self._upper(a, self._dip(r, a))

    def _upper(self, a: np.ndarray, dip: np.ndarray) -> np.ndarray:
        return self._rim(a) / 2 - (self.concavity_mm[0] + self.middle_loss_mm / 2) * dip

    def lower_mm(self, r: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Return the height of the lower endplate's outer surface, negative below the centre."""
        return self._lower(a, self._dip(r, a))

    def _lower(self, a: np.ndarray, dip: np.ndarray) -> np.ndarray:
        return -self._rim(a) / 2 + (self.concavity_mm[1] + self.middle_loss_mm / 2) * dip

    def deepest_mm(self, upper: bool) -> float:
        """Return how far from the centre, along the superior axis, the upper or lower endplate lies at least."""
        dip = self.concavity_mm[0 if upper else 1] + self.middle_loss_mm / 2
        return min(self.height_anterior_mm, self.height_posterior_mm) / 2 - dip

    def signed_mm(
        self, p: Coordinates, outside_mm: float = 0.0, half_mm: float | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return values for the side wall and the endplates, negative inside; their maximum is the
        whole body. Both are infinity further out than `outside_mm`, and further than `half_mm` (by default half the
        body's height) above or below the centre.
        """
        r, a, s = p
        if half_mm is None:
            half_mm = max(self.height_anterior_mm, self.height_posterior_mm) / 2
        widest = 1 + 2 * outside_mm / min(self.depth_mm, self.width_mm) + ROUNDING
        near = (np.maximum(*self.scaled(r, a)) < widest) & (np.abs(s) < half_mm + ROUNDING)
        side, ends = np.full((2, *near.shape), np.inf)
        side[near], ends[near] = self._signed(*(c[near] for c in np.broadcast_arrays(r, a, s)))
        return side, ends

    def _signed(self, r: np.ndarray, a: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        radius = self.radius(r, a)
        dip = np.clip(1 - radius**2, 0, 1)
        upper, lower = self._upper(a, dip), self._lower(a, dip)
        relative = (s - lower) / np.maximum(upper - lower, 1e-3) * 2 - 1
        section = 1 - self.waist * np.clip(1 - relative**2, 0, 1)
        side = (radius / section - 1) * min(self.depth_mm, self.width_mm) / 2
        return side, np.maximum(s - upper, lower - s)

    def height_at_mm(self, fraction: float) -> float:
        """Return the height at a fraction of the depth (0 posterior, 1 anterior), mid-sagittal."""
        behind = 1 - self.hollow
        a = (-behind + fraction * (1 + behind)) * self.depth_mm / 2
        zero = np.zeros(1)
        return float((self.upper_mm(zero, zero + a) - self.lower_mm(zero, zero + a))[0])
