"""Measures of a phantom's shapes by formula: endplates, sizes, faces of discs.

Definitions are those of the data dictionary; everything is in mm of the anatomical frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.measures.frames import Frame
from wirbel.core.measures.shape.bulge import LEAST_LINE_MM, SPAN
from wirbel.core.measures.shape.corners import FURTHEST_MM, NEAREST_MM
from wirbel.core.measures.shape.endplates import RIM_FRACTIONS, Endplate
from wirbel.core.measures.shape.rims import CORNER_INSET, RIM
from wirbel.phantom.person.anatomy import Anatomy, Vertebra
from wirbel.phantom.person.discs import DiscFrame, disc_frame
from wirbel.phantom.person.shapes import Body

AREA_STEP_MM = 0.1
SIDEWAYS_FRACTION = 0.25
"""The lateral tilt of a face is measured between two points this far from the middle, as a fraction of
its width.
"""


@dataclass(frozen=True)
class TrueSolid:
    """A body or disc in the form that `core.measures.alignment` expects."""

    block: TrueBlock | None
    region: TrueRegion
    plates: dict[int, Endplate]

    def endplate(self, side: int) -> Endplate:
        """Return the upper (1) or lower (-1) endplate or face."""
        return self.plates[side]


@dataclass(frozen=True)
class TrueBlock:
    """The axes of a body."""

    frame: Frame


@dataclass(frozen=True)
class TrueRegion:
    """Where a structure is."""

    centroid_mm: np.ndarray


def body_sizes(vertebra: Vertebra) -> dict[str, float]:
    """Return heights, depths and widths of a body."""
    body = vertebra.body
    depth, slim = body.depth_mm * (1 - body.hollow / 2), 1 - body.waist
    return {
        "height_anterior_mm": body.height_at_mm(0.85),
        "height_middle_mm": body.height_at_mm(0.5),
        "height_posterior_mm": body.height_at_mm(0.15),
        "corner_height_anterior_mm": body.height_at_mm(1 - CORNER_INSET),
        "corner_height_posterior_mm": body.height_at_mm(CORNER_INSET),
        "concavity_upper_mm": _concavity_mm(vertebra, 1),
        "concavity_lower_mm": _concavity_mm(vertebra, -1),
        "depth_upper_mm": depth,
        "depth_middle_mm": depth * slim,
        "depth_lower_mm": depth,
        "width_upper_mm": body.width_mm,
        "width_middle_mm": body.width_mm * slim,
        "width_lower_mm": body.width_mm,
        "body_area_mm2": _area_mm2(body),
    }


def _area_mm2(body: Body) -> float:
    """Return the area of the cross-section half-way up."""
    right = np.arange(-body.width_mm / 2, body.width_mm / 2, AREA_STEP_MM)[:, None]
    anterior = np.arange(-body.depth_mm / 2, body.depth_mm / 2, AREA_STEP_MM)
    return float((body.radius(right, anterior) < 1 - body.waist).sum()) * AREA_STEP_MM**2


def _concavity_mm(vertebra: Vertebra, side: int) -> float:
    body = vertebra.body
    surface = body.upper_mm if side > 0 else body.lower_mm
    back, front = -(1 - body.hollow) * body.depth_mm / 2, body.depth_mm / 2
    at = np.array([back + f * (front - back) for f in (RIM, 0.5, 1 - RIM)])
    heights = surface(np.zeros(3), at)
    return float(side * ((heights[0] + heights[2]) / 2 - heights[1]))


def true_body(vertebra: Vertebra) -> TrueSolid:
    """Return a body's axes and endplates."""
    plates = {side: _body_plate(vertebra, side) for side in (1, -1)}
    frame = Frame(vertebra.centre_mm, vertebra.rotation.T)
    return TrueSolid(TrueBlock(frame), TrueRegion(vertebra.centre_mm), plates)


def _body_plate(vertebra: Vertebra, side: int) -> Endplate:
    body = vertebra.body
    surface = body.upper_mm if side > 0 else body.lower_mm
    back, front = -(1 - body.hollow) * body.depth_mm / 2, body.depth_mm / 2
    at = np.array([back + f * (front - back) for f in RIM_FRACTIONS])
    heights = surface(np.zeros(2), at)
    slope = (heights[1] - heights[0]) / (at[1] - at[0])
    ends = [np.array([0.0, a, heights[0] + slope * (a - at[0])]) for a in (back, front)]
    corners = [vertebra.centre_mm + vertebra.rotation @ end for end in ends]
    normal = vertebra.rotation @ np.array([0.0, -slope, 1.0])
    return Endplate(normal / np.linalg.norm(normal), *corners)


def true_sacral_plate(anatomy: Anatomy) -> Endplate:
    """Return the sacral endplate with its corners, where lines along the walls of S1 meet it."""
    segment = anatomy.sacrum[0]
    body = segment.blobs[0]
    away = np.linspace(NEAREST_MM, FURTHEST_MM, 21)
    height = (segment.height_mm / 2 - away) / body.half_mm[2]
    wall = body.half_mm[1] * (1 - np.abs(height) ** body.exponent) ** (1 / body.exponent)
    corner = np.polyfit(away, wall, 1)[1]
    ends = [
        segment.centre_mm + segment.rotation @ [0, a, segment.height_mm / 2]
        for a in (-corner, corner)
    ]
    return Endplate(segment.rotation[:, 2], *ends)


class TrueDisc:
    """The disc below the k-th vertebra, with its bulge."""

    def __init__(self, anatomy: Anatomy, k: int) -> None:
        self.frame: DiscFrame = disc_frame(anatomy, k)
        self.limit = 1 + 2 * anatomy.discs[k].bulge_mm / self.frame.depth_mm
        self.behind = 1 - self.frame.outline.hollow
        self._heights = np.arange(-self.frame.reach_mm, self.frame.reach_mm, 0.02)

    @property
    def depth_mm(self) -> float:
        """Extent from back to front in the middle."""
        return self.frame.depth_mm * self.limit * (1 + self.behind) / 2

    @property
    def width_mm(self) -> float:
        """Largest extent from left to right."""
        return self.frame.width_mm * self.limit

    def faces_mm(self, fraction: float, aside_mm: float = 0.0) -> np.ndarray:
        """Return the heights of the lower and upper face at a fraction of the depth (0 at the back)."""
        at = (-self.behind + fraction * (1 + self.behind)) * self.frame.depth_mm * self.limit / 2
        local = (
            np.full_like(self._heights, aside_mm),
            np.full_like(self._heights, at),
            self._heights,
        )
        between = self.frame.between_mm(local) < 0
        inside = self._heights[between]
        return inside[[0, -1]] + (-0.01, 0.01) if len(inside) else np.zeros(2)

    def height_mm(self, fraction: float) -> float:
        """Return the height at a fraction of the depth in the mid-sagittal plane."""
        low, high = self.faces_mm(fraction)
        return float(high - low)

    def bulge_mm(self, above: Endplate, below: Endplate) -> float | None:
        """Return how far the back lies beyond the line between the back corners of both endplates that face the
        disc."""
        start, end = (
            (self.frame.rotation.T @ (plate.back_mm - self.frame.centre_mm))[1:]
            for plate in (above, below)
        )
        length = float(np.linalg.norm(end - start))
        if length < LEAST_LINE_MM:
            return None
        back = -self.behind * self.frame.depth_mm * self.limit / 2
        low, high = self.faces_mm(0.001)
        heights = np.linspace(low, high, 200)
        along = (end - start) / length
        offset = np.column_stack([np.full(len(heights), back), heights]) - start
        at, off = offset @ along / length, offset @ np.array([along[1], -along[0]])
        inside = (at > SPAN[0]) & (at < SPAN[1])
        return float(off[inside].max()) if inside.any() else None

    def solid(self) -> TrueSolid:
        """Return the faces in the form that `core.measures.alignment` expects."""
        plates = {side: self._plate(side) for side in (1, -1)}
        return TrueSolid(None, TrueRegion(self.frame.centre_mm), plates)

    def _plate(self, side: int) -> Endplate:
        number = int(side > 0)
        low, high = (self.faces_mm(f)[number] for f in RIM_FRACTIONS)
        run = (RIM_FRACTIONS[1] - RIM_FRACTIONS[0]) * self.depth_mm
        slope = (high - low) / run
        reach = SIDEWAYS_FRACTION * self.width_mm
        left, right = (self.faces_mm(0.5, aside)[number] for aside in (-reach, reach))
        normal = self.frame.rotation @ np.array([-(right - left) / (2 * reach), -slope, 1.0])
        back = -self.behind * self.frame.depth_mm * self.limit / 2
        at_back = low - slope * RIM_FRACTIONS[0] * self.depth_mm
        ends = [(0.0, back, at_back), (0.0, back + self.depth_mm, at_back + slope * self.depth_mm)]
        corners = [self.frame.centre_mm + self.frame.rotation @ np.array(end) for end in ends]
        return Endplate(normal / np.linalg.norm(normal), *corners)
