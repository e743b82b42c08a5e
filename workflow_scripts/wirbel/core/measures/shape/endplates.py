"""Endplates as planes in the world: their tilt, and the corners that angles and slips are taken from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.measures.curvature.outline import Outline
from wirbel.core.measures.shape.surfaces import Block

RIM_FRACTIONS = (0.15, 0.85)
"""An endplate's line runs through its surface at these fractions of the depth, those of the six points:
near the rim, as lines are drawn on radiographs, so that a hollow in the middle does not tilt it."""
LATERAL_FRACTION = 0.35
"""Its tilt to the side is that of a plane fitted within this fraction of width and depth about the middle."""


@dataclass(frozen=True)
class Endplate:
    """One endplate: unit `normal` (pointing up) and its back and front corner, in world mm (RAS+)."""

    normal: np.ndarray
    back_mm: np.ndarray
    front_mm: np.ndarray

    @property
    def forward(self) -> np.ndarray:
        """Unit vector from the back to the front corner."""
        return (self.front_mm - self.back_mm) / self.depth_mm

    @property
    def depth_mm(self) -> float:
        """Distance from the back to the front corner."""
        return float(np.linalg.norm(self.front_mm - self.back_mm))


def find_endplate(block: Block, outline: Outline | None, side: int) -> Endplate:
    """Return the upper (`side` 1) or lower (-1) endplate of a body, or the face of a disc.

    The corners lie on the endplate's line in the mid-sagittal plane where the outline begins and ends at the
    height of that endplate; without an outline, where the block does. Raises SurfaceError when too few surface
    points are left.
    """
    fractions = np.array(RIM_FRACTIONS)
    heights = [block.surface_at(fraction, side) for fraction in fractions]
    slope = (heights[1] - heights[0]) / (np.diff(fractions)[0] * block.depth_mm)
    at_back = heights[0] - slope * fractions[0] * block.depth_mm
    sideways = float(block.slopes(side, LATERAL_FRACTION)[0])
    normal = block.frame.superior - slope * block.frame.anterior - sideways * block.frame.right
    ends = outline.ends_at(side) if outline else (block.back_mm, block.front_mm)
    corners = [
        block.frame.origin_mm
        + end * block.frame.anterior
        + (at_back + slope * (end - block.back_mm)) * block.frame.superior
        for end in ends
    ]
    return Endplate(normal / np.linalg.norm(normal), *corners)


def angle_deg(first: np.ndarray, second: np.ndarray, axis: np.ndarray) -> float:
    """Return the signed angle from `first` to `second`, seen along `axis`: degrees, right-handed."""
    one, other = (v - (v @ axis) * axis for v in (first, second))
    return float(np.rad2deg(np.arctan2(np.cross(one, other) @ axis, one @ other)))
