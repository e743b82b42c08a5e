"""Analytic bodies and discs, posed at random, drawn on a grid, and what may be wrong with a label map of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS

GAP_MM, CANAL_MM, CORD_MM = 1.5, (16.0, 24.0), (7.0, 11.0)
"""Distance from the back wall to the canal; usual depth and width of canal and cord."""
FIELD_MM = 14.0
"""Empty space around the chain."""
CUTS = ("none", "none", "none", "side", "few", "islands")
"""How often what is wrong with a map: nothing, a border through the flank, some slices only, specks far away."""
MORE_CUTS = ("none", "none", "side", "few", "aside", "islands")
"""Of unusual shapes; `aside`: what slices show is a half or less, on one side."""


@dataclass(frozen=True)
class Shape:
    """A body or disc: height at the back and at the front, extents, and exponent of its outline from above.

    `dish_mm`: how far the middle of each face lies within its rim; `side_deg`: angle between the faces seen from the
    front, positive when higher on the right.
    """

    back_mm: float
    front_mm: float
    depth_mm: float
    width_mm: float
    exponent: float
    dish_mm: float = 0.0
    side_deg: float = 0.0

    @property
    def middle_mm(self) -> float:
        """Height half-way."""
        return (self.back_mm + self.front_mm) / 2

    @property
    def wedge_deg(self) -> float:
        """Angle between its faces."""
        return float(np.rad2deg(2 * np.arctan((self.front_mm - self.back_mm) / 2 / self.depth_mm)))

    def height_at(self, fraction):
        """Return the height at a fraction of the depth, 0 at the back."""
        straight = self.back_mm + (self.front_mm - self.back_mm) * fraction
        return straight - 2 * self.dish_mm * (1 - (2 * fraction - 1) ** 2)

    def inside(self, local: np.ndarray) -> np.ndarray:
        """Return which points (n, 3) of its frame lie inside."""
        r, a, s = local.T
        u, v = np.abs(2 * r / self.width_mm), np.abs(2 * a / self.depth_mm)
        at = np.clip(a / self.depth_mm + 0.5, 0, 1)
        tall = (self.back_mm + (self.front_mm - self.back_mm) * at) / 2
        tall = tall + r * np.tan(np.deg2rad(self.side_deg) / 2)
        tall = tall - self.dish_mm * np.clip(1 - u**2 - v**2, 0, 1)
        return (u**self.exponent + v**self.exponent < 1) & (np.abs(s) <= tall)


@dataclass(frozen=True)
class Case:
    """What is drawn: the structure under test in the middle, its kind, pose, grid, and what is wrong."""

    kind: str
    shape: Shape
    spacing_mm: tuple[float, float, float]
    angles_deg: tuple[float, float, float]
    shift: tuple[float, float, float]
    wrong: str
    part: float
    canal_mm: tuple[float, float] = CANAL_MM
    cord_mm: tuple[float, float] = CORD_MM


def sample(rng: np.random.Generator) -> Case:
    """Return a random case: wedges to 25 degrees, discs of 2 to 14 mm, depths of 12 to 45 mm."""
    kind = str(rng.choice(["disc", "body"]))
    depth = rng.uniform(12, 45)
    width = depth * rng.uniform(1.1, 1.5)
    middle = rng.uniform(2, 14) if kind == "disc" else depth * rng.uniform(0.6, 1.0)
    limit = min(25.0, float(np.rad2deg(2 * np.arctan(0.85 * middle / depth))))
    wedge = rng.uniform(-limit, limit) * rng.choice([0.3, 1.0])
    rise = depth * np.tan(np.deg2rad(wedge) / 2)
    shape = Shape(middle - rise, middle + rise, depth, width, rng.uniform(2.0, 3.0))
    plane, slices = rng.uniform(0.4, 1.2), rng.uniform(2.0, 6.0)
    angles = tuple(rng.uniform(-1, 1, 3) * (30, 12, 12))
    wrong, part = str(rng.choice(CUTS)), rng.uniform()
    return Case(
        kind, shape, (slices, plane, plane), angles, tuple(rng.uniform(-1, 1, 3)), wrong, part
    )


def sample_unusual(rng: np.random.Generator) -> Case:
    """Return a case further from the usual: scoliotic, turned, flat, short, hollow, wedged to the side, odd cords."""
    usual = sample(rng)
    s, disc = usual.shape, usual.kind == "disc"
    odd = str(rng.choice(["flat", "side", "hollow", "as it is"]))
    if odd == "flat":
        shrunk = rng.uniform(1.2, 2.5) if disc else s.depth_mm * rng.uniform(0.3, 0.55)
        s = replace(
            s, back_mm=s.back_mm * shrunk / s.middle_mm, front_mm=s.front_mm * shrunk / s.middle_mm
        )
    elif odd == "side":
        most = float(np.rad2deg(2 * np.arctan(0.6 * min(s.back_mm, s.front_mm) / s.width_mm)))
        s = replace(s, side_deg=min(most, 15.0) * rng.uniform(-1, 1))
    elif odd == "hollow" and not disc:
        s = replace(s, dish_mm=0.3 * min(s.back_mm, s.front_mm) * rng.uniform(0.2, 1.0))
    deep = rng.uniform(9, 20)
    canal = (deep, deep * rng.uniform(1.1, 2.2))
    thick = rng.uniform(0.3, 0.6) * deep
    cord = (thick, min(thick * rng.uniform(1.0, 2.6), 0.8 * canal[1]))
    angles = tuple(rng.uniform(-1, 1, 3) * (35, 25, 20))
    wrong = str(rng.choice(MORE_CUTS))
    return replace(usual, shape=s, angles_deg=angles, wrong=wrong, canal_mm=canal, cord_mm=cord)


def chain(case: Case) -> list[tuple[int, Shape]]:
    """Return label and shape from the top down, the structure under test in the middle."""
    d, w, n = case.shape.depth_mm, case.shape.width_mm, case.shape.exponent
    body, disc = Shape(0.8 * d, 0.8 * d, d, w, n), Shape(6, 7, d, w, n)
    top, below = LEVEL_LABELS["L2"], LEVEL_LABELS["L3"]
    if case.kind == "disc":
        return [(top, body), (DISC_OFFSET + top, case.shape), (below, body)]
    return [
        (top, body),
        (DISC_OFFSET + top, disc),
        (below, case.shape),
        (DISC_OFFSET + below, disc),
        (below + 1, body),
    ]


def rotation(angles_deg) -> np.ndarray:
    """Return the rotation about the right, then the anterior, then the superior axis."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(angles_deg)):
        i, j = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def frames(links: list[tuple[int, Shape]], pose: np.ndarray):
    """Return (middle in mm, columns right, anterior and superior) of each link; wedges bend the chain."""
    found, axes, at = [], pose, np.zeros(3)
    for _, shape in links:
        half = rotation((-shape.wedge_deg / 2, -shape.side_deg / 2, 0))
        axes = axes @ half
        found.append((at - axes[:, 2] * shape.middle_mm / 2, axes))
        at = at - axes[:, 2] * shape.middle_mm
        axes = axes @ half
    return found


def _extent(case: Case, placed, links) -> tuple[np.ndarray, np.ndarray]:
    """Return the world box that holds the chain, the canal behind it, and some space around."""
    ends = []
    for (middle, axes), (_, shape) in zip(placed, links, strict=True):
        half = np.array(
            [max(shape.width_mm, case.canal_mm[1]) / 2, shape.depth_mm / 2, shape.middle_mm / 2 + 2]
        )
        behind = axes @ np.array([0, shape.depth_mm / 2 + GAP_MM + case.canal_mm[0], 0])
        ends += [middle + sign * np.abs(axes) @ half for sign in (-1, 1)] + [middle - behind]
    return np.min(ends, axis=0) - FIELD_MM, np.max(ends, axis=0) + FIELD_MM


def draw(case: Case) -> tuple[Volume, Volume]:
    """Return the subregion and the vertebra map."""
    links = chain(case)
    placed = frames(links, rotation(case.angles_deg))
    spacing = np.array(case.spacing_mm)
    low, high = _extent(case, placed, links)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = low + np.array(case.shift) * spacing
    maps = [
        Volume(np.zeros(np.ceil((high - low) / spacing).astype(int), np.uint8), affine)
        for _ in "sv"
    ]
    world = maps[0].grid.to_world(np.indices(maps[0].data.shape).reshape(3, -1).T)
    flat = [volume.data.reshape(-1) for volume in maps]
    for (middle, axes), (_, shape) in zip(placed, links, strict=True):
        local = (world - middle) @ axes
        near = np.abs(local[:, 2]) < shape.middle_mm / 2 + 2
        behind = local[:, 1] + case.shape.depth_mm / 2 + GAP_MM + case.canal_mm[0] / 2
        for label, (deep, wide) in ((L.CANAL, case.canal_mm), (L.CORD, case.cord_mm)):
            oval = (2 * local[:, 0] / wide) ** 2 + (2 * behind / deep) ** 2 < 1
            free = near & oval & (flat[0] != L.CORD)
            flat[0][free] = label
    for (middle, axes), (label, shape) in zip(placed, links, strict=True):
        inside = shape.inside((world - middle) @ axes)
        flat[0][inside] = L.DISC if label >= DISC_OFFSET else L.BODY_BORDER
        flat[1][inside] = label
    return tuple(maps)


def spoil(case: Case, maps: tuple[Volume, Volume]) -> tuple[tuple[Volume, Volume], str]:
    """Return the maps with what is wrong with them, and in words what that should withhold."""
    label = chain(case)[len(chain(case)) // 2][0]
    mine = maps[1].data == label
    seen = np.flatnonzero(mine.any((1, 2)))
    if case.wrong == "side":  # the border takes up to a fifth of the width
        last = seen[-1] + 1 - round(0.2 * case.part * len(seen))
        return tuple(Volume(v.data[:last], v.affine) for v in maps), "side"
    if case.wrong == "few":  # the structure is labelled in its two or three middle slices alone
        kept = 2 + round(case.part)
        first = seen[0] + (len(seen) - kept) // 2
        gone = mine.copy()
        gone[max(first, 0) : first + kept] = False
        part = "few" if kept < 0.66 * len(seen) else "none"
        return tuple(v.with_data(np.where(gone, 0, v.data)) for v in maps), part
    if case.wrong == "aside":  # a third to a half of the width, from one side
        kept = max(2, round((0.33 + 0.17 * case.part) * len(seen)))
        gone = mine.copy()
        gone[seen[0] : seen[0] + kept] = False
        return tuple(v.with_data(np.where(gone, 0, v.data)) for v in maps), "aside"
    if case.wrong == "islands":
        maps = tuple(v.with_data(v.data.copy()) for v in maps)
        maps[0].data[2:4, 2:5, 2:5] = L.DISC if label >= DISC_OFFSET else L.BODY_BORDER
        maps[1].data[2:4, 2:5, 2:5] = label
    return maps, "none"
