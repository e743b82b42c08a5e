"""Two vertebrae, the disc between them and the canal behind them, made of formulas and drawn on any grid.

The spine's own frame is (right, anterior, superior) in mm, its origin the middle of the upper body, L3.
L4 lies below; the disc between is `disc_mm` high. Every number that a measure should give can be worked
out from the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core import labels as L
from wirbel.core.geometry import Volume

L3, L4 = 22, 23


@dataclass(frozen=True)
class SolidSpine:
    """Bodies of elliptic or rectangular outline.

    `wedge` is the change of height per mm of depth, `shear` how far the walls lean forward per mm of height,
    `slip_mm` how far the upper body stands in front of the lower one.
    """

    width_mm: float = 40.0
    depth_mm: float = 30.0
    height_mm: float = 26.0
    disc_mm: float = 8.0
    wedge: float = 0.0
    shear: float = 0.0
    elliptic: bool = False
    plate_mm: float = 1.0
    slip_mm: float = 0.0

    def height_at(self, fraction: float) -> float:
        """Body height at a fraction of the depth, 0 at the back."""
        return self.height_mm + self.wedge * self.depth_mm * (fraction - 0.5)

    def draw(self, r: np.ndarray, a: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (subregion, vertebra) at points of the spine's frame."""
        subregion, vertebra = np.zeros(r.shape, np.uint8), np.zeros(r.shape, np.uint8)
        step = self.height_mm + self.disc_mm
        for label, centre in ((L3, 0.0), (L4, -step)):
            height = s - centre
            forward = self.slip_mm if label == L3 else 0.0
            inside = self._outline(r, a - forward - self.shear * height)
            top = (self.height_mm + self.wedge * (a - forward)) / 2
            body = inside & (np.abs(height) < top)
            plate = body & (np.abs(height) > top - self.plate_mm)
            subregion[body], vertebra[body] = L.BODY_BORDER, label
            subregion[plate], vertebra[plate] = L.ENDPLATE, L.ENDPLATE_OFFSET + label
            arch = (np.abs(r) < 8) & (a < -self.depth_mm / 2 - 21) & (a > -self.depth_mm / 2 - 27)
            arch &= np.abs(height) < 8
            subregion[arch], vertebra[arch] = L.ARCUS, label
        gap = (s < -(self.height_mm + self.wedge * a) / 2) & (
            s > -step + (self.height_mm + self.wedge * a) / 2
        )
        disc = gap & self._outline(r, a)
        subregion[disc], vertebra[disc] = L.DISC, L.DISC_OFFSET + L3
        back = a + self.depth_mm / 2 + 10.5
        canal = (r / 12) ** 2 + (back / 9) ** 2 < 1
        cord = (r / 6) ** 2 + (back / 4) ** 2 < 1
        subregion[canal], subregion[cord] = L.CANAL, L.CORD
        return subregion, vertebra

    def _outline(self, r, a):
        u, v = 2 * r / self.width_mm, 2 * a / self.depth_mm
        return u**2 + v**2 < 1 if self.elliptic else np.maximum(np.abs(u), np.abs(v)) < 1


def rotation(pitch_deg: float, lean_deg: float, turn_deg: float) -> np.ndarray:
    """Return the rotation about the right, then the anterior, then the superior axis."""
    matrix = np.eye(3)
    for axis, degrees in enumerate((pitch_deg, lean_deg, turn_deg)):
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        i, j = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[[i, j], [i, j]] = c
        turn[i, j], turn[j, i] = -s, s
        matrix = turn @ matrix
    return matrix


def render(
    spine: SolidSpine,
    spacing_mm: tuple[float, float, float] = (3.3, 0.86, 0.86),
    pose: np.ndarray | None = None,
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    field_mm: tuple[float, float, float] = (86.0, 110.0, 124.0),
) -> tuple[Volume, Volume]:
    """Draw a spine on a grid with RAS axes; `pose` rotates its frame, `centre_mm` moves its origin.

    The grid's middle is the middle of the disc's upper face, so that both bodies are in view.
    """
    shape = tuple(int(np.ceil(f / s)) for f, s in zip(field_mm, spacing_mm, strict=True))
    affine = np.diag([*spacing_mm, 1.0])
    middle = np.array([0.0, -10.0, -17.0])
    affine[:3, 3] = middle - (np.array(shape) - 1) / 2 * spacing_mm
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    world = index @ affine[:3, :3].T + affine[:3, 3]
    pose = np.eye(3) if pose is None else pose
    pivot = np.array([0.0, 0.0, -17.0])
    local = (world - np.asarray(centre_mm) - pivot) @ pose + pivot
    maps = spine.draw(*np.moveaxis(local, -1, 0))
    return Volume(maps[0], affine), Volume(maps[1], affine)
