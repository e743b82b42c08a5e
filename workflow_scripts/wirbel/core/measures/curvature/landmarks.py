"""The lines that sizes and angles were taken from, as points in the world: for pictures that show what was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS, LEVEL_NAMES
from wirbel.core.measures import status as S
from wirbel.core.measures.frames import Frame
from wirbel.core.measures.shape.solids import Solid
from wirbel.core.measures.shape.surfaces import Block, SurfaceError
from wirbel.core.measures.vertebrae import SIX_POINT_FRACTIONS

HEIGHT, DEPTH, WIDTH, DISC_HEIGHT = "height", "depth", "width", "disc_height"
ENDPLATE, COBB, CANAL_AP = "endplate", "cobb", "canal_ap"
KINDS = (HEIGHT, DEPTH, WIDTH, DISC_HEIGHT, ENDPLATE, COBB, CANAL_AP)
COBB_HALF_MM = 30.0
"""Half the length of a line drawn along an endplate for a Cobb angle: beyond the body, as on radiographs."""
DISC_MIDDLE = 0.5
"""Part of a disc's depth at which its middle height is drawn."""


@dataclass(frozen=True)
class Landmark:
    """A measured line of one level: `start_mm` and `end_mm` are world points (3,), RAS+."""

    kind: str
    level: str
    start_mm: np.ndarray
    end_mm: np.ndarray

    def as_row(self) -> list:
        """Return kind, level and the six coordinates, to a tenth of a millimetre."""
        points = np.concatenate([self.start_mm, self.end_mm])
        return [self.kind, self.level, *(round(float(value), 1) + 0.0 for value in points)]


def solid_landmarks(solids: dict[int, Solid]) -> list[Landmark]:
    """Return the lines of all bodies and discs that could be measured, from the top down."""
    found: list[Landmark] = []
    for key, solid in solids.items():
        if solid.block is None or solid.status != S.OK:
            continue
        try:
            found += _disc(key, solid) if key >= DISC_OFFSET else _body(key, solid)
        except SurfaceError:
            continue  # its status says so
    return found


def cobb_landmarks(
    solids: dict[int, Solid], frame: Frame | None, upper: str | None, lower: str | None
) -> list[Landmark]:
    """Return the two lines of the largest coronal curve; none without one.

    Parameters
    ----------
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    frame : Frame or None
        Axes of the spine in view.
    upper, lower : str or None
        Levels of the curve's end vertebrae.
    """
    if frame is None or upper is None or lower is None:
        return []
    found = []
    for level, side in ((upper, 1), (lower, -1)):
        plate = solids[LEVEL_LABELS[level]].endplate(side)
        if plate is None:
            return []
        across = frame.right - (frame.right @ plate.normal) * plate.normal
        across = COBB_HALF_MM * across / np.linalg.norm(across)
        middle = (plate.back_mm + plate.front_mm) / 2
        found.append(Landmark(COBB, level, middle - across, middle + across))
    return found


def _body(label: int, solid: Solid) -> list[Landmark]:
    level, block = LEVEL_NAMES[label], solid.block
    assert block is not None
    found = [_height(HEIGHT, level, block, fraction) for fraction in SIX_POINT_FRACTIONS.values()]
    for side in (1, -1):
        plate = solid.endplate(side)
        if plate is not None:
            found.append(Landmark(ENDPLATE, level, plate.back_mm, plate.front_mm))
    if solid.outline is not None:
        back, front = solid.outline.ends_at(0)
        found.append(_across(DEPTH, level, block, (0.0, back), (0.0, front)))
        if solid.whole_width:
            half, middle = solid.outline.width_at(0) / 2, (back + front) / 2
            right = solid.outline.right_mm
            found.append(
                _across(WIDTH, level, block, (right - half, middle), (right + half, middle))
            )
    return found


def _disc(key: int, solid: Solid) -> list[Landmark]:
    assert solid.block is not None
    return [_height(DISC_HEIGHT, LEVEL_NAMES[key - DISC_OFFSET], solid.block, DISC_MIDDLE)]


def _height(kind: str, level: str, block: Block, fraction: float) -> Landmark:
    """Return the line between both surfaces at a part of the depth, in the mid-sagittal plane."""
    at = block.back_mm + fraction * block.depth_mm
    ends = [
        block.frame.to_world(np.array([0.0, at, block.surface_at(fraction, side)]))
        for side in (-1, 1)
    ]
    return Landmark(kind, level, *ends)


def _across(kind: str, level: str, block: Block, start, end) -> Landmark:
    """Return a line between two places (right, anterior) at half the height."""
    middle = (block.surface_at(0.5, 1) + block.surface_at(0.5, -1)) / 2
    return Landmark(
        kind, level, *(block.frame.to_world(np.array([*place, middle])) for place in (start, end))
    )
