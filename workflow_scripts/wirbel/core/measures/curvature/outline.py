"""The form of a structure's outline seen from above: a superellipse that changes with height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Outline:
    """A superellipse about (`right_mm`, `anterior_mm`), hollow at the back, that changes with height.

    Height runs from -1 (lower surface) over 0 to 1 (upper surface). The size at a height is
    `width_mm` (or `depth_mm`) * (1 + taper * height) * (1 - waist * (1 - height^2)). It ends at `back_mm`
    and `front_mm`, and is nowhere wider than `widest_mm`: near a torn-off corner the fit must not
    reach far beyond anything that was seen. A disc is at least `narrowest_mm` wide: so far apart lie its own voxels,
    where it turns up beside the uncinate processes and its flanks are no walls.
    """

    width_mm: float
    depth_mm: float
    right_mm: float
    anterior_mm: float
    exponent: float
    hollow: float
    width_taper: float = 0.0
    depth_taper: float = 0.0
    width_waist: float = 0.0
    depth_waist: float = 0.0
    shear_mm: float = 0.0
    widest_mm: float = np.inf
    narrowest_mm: float = 0.0
    back_mm: float = -np.inf
    front_mm: float = np.inf
    assumed: bool = False
    """Whether its form is the usual one: its width was not measured."""

    @property
    def middle_mm(self) -> tuple[float, float]:
        """Right and anterior coordinate of the middle."""
        return self.right_mm, self.anterior_mm

    @property
    def limits_mm(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Two corners (right, anterior mm) that hold all of it between both surfaces."""
        wide, deep = (
            size / 2 * (1 + abs(taper)) * (1 + max(-waist, 0))
            for size, taper, waist in (
                (self.width_mm, self.width_taper, self.width_waist),
                (self.depth_mm, self.depth_taper, self.depth_waist),
            )
        )
        deep += abs(self.shear_mm)
        low = self.right_mm - wide, self.anterior_mm - deep
        return low, (self.right_mm + wide, self.anterior_mm + deep)

    def width_at(self, height: float) -> float:
        """Return the largest extent from left to right, mm."""
        width = self.width_mm * _size(height, self.width_taper, self.width_waist)
        return max(min(width, self.widest_mm), self.narrowest_mm)

    def depth_at(self, height: float) -> float:
        """Return the extent from back to front in the middle, mm."""
        back, front = self.ends_at(height)
        return front - back

    def ends_at(self, height: float) -> tuple[float, float]:
        """Return where back and front lie in the middle, anterior mm."""
        half = self.depth_mm * _size(height, self.depth_taper, self.depth_waist) / 2
        middle = self.anterior_mm + self.shear_mm * height
        return max(middle - half * (1 - self.hollow), self.back_mm), min(
            middle + half, self.front_mm
        )

    def radius(self, points: np.ndarray) -> np.ndarray:
        """Return 1 on the outline, less inside, for points (n, 3): right mm, anterior mm, height."""
        return self._power(*self._relative(points))

    def holds(self, points: np.ndarray) -> np.ndarray:
        """Return which points lie inside: those of radius below 1; powers are computed only where that may be."""
        x, y = self._relative(points)
        inside = (x < 1) & (y < 1)
        inside[inside] = self._power(x[inside], y[inside]) < 1
        return inside

    def _relative(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far points lie to the side, and to front or back; 1 at the outline's ends."""
        right, anterior, height = points.T
        x = 2 * (right - self.right_mm)
        x = np.abs(x) / (self.width_mm * _size(height, self.width_taper, self.width_waist))
        y = 2 * (anterior - self.anterior_mm - self.shear_mm * height)
        y = y / (self.depth_mm * _size(height, self.depth_taper, self.depth_waist))
        behind = 1 - self.hollow * np.clip(1 - x**2, 0, 1)
        return x, np.where(y < 0, -y / behind, y)

    def _power(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x**self.exponent + y**self.exponent + 1e-12) ** (1 / self.exponent)

    def distance_mm(self, points: np.ndarray) -> np.ndarray:
        """Return roughly how far points lie outside (positive) or inside, mm."""
        right, anterior, _ = points.T
        offset = (right - self.right_mm) ** 2 + (anterior - self.anterior_mm) ** 2
        radius = self.radius(points)
        return (radius - 1) / radius * np.sqrt(offset)


def _size(height, taper, waist):
    return (1 + taper * height) * (1 - waist * (1 - height**2))
