"""Analytic bodies and discs over a wide range of shapes and grids: is every cell right, or rightly withheld?

Each case is a chain of two bodies and the disc between them (or two discs and the body between them), made of
formulas, posed at random and drawn on a grid. A cell is one measure of the middle structure. It is wrong when it is
given and off by more than twice its limit, and when it is withheld though its error would lie within the limit: that
is known from measuring the same shape whole, in the same pose, when a border or few slices are what withholds it.

    python benchmarks/measures/shapes.py --cases 150 --seed 1
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from wirbel.core import labels as L
from wirbel.core.dictionary import TABLES
from wirbel.core.geometry import Volume
from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS
from wirbel.core.measures import measure

GAP_MM, CANAL_MM, CORD_MM = 1.5, (16.0, 24.0), (7.0, 11.0)
"""Distance from the back wall to the canal; depth and width of canal and cord."""
FIELD_MM = 14.0
"""Empty space around the chain."""
LIMITS = {"height": 0.5, "depth": 0.8, "width": 0.8, "wedge": 1.5, "area": 5.0}
"""Kind of measure -> limit of docs/measures.md: mm, degrees, percent."""
CUTS = ("none", "none", "none", "side", "few", "islands")
"""How often what is wrong with a map: nothing, a border through the flank, some slices only, specks far away."""


@dataclass(frozen=True)
class Shape:
    """A body or disc: height at the back and at the front, extents, and exponent of its outline from above."""

    back_mm: float
    front_mm: float
    depth_mm: float
    width_mm: float
    exponent: float

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
        return self.back_mm + (self.front_mm - self.back_mm) * fraction

    def inside(self, local: np.ndarray) -> np.ndarray:
        """Return which points (n, 3) of its frame lie inside."""
        r, a, s = local.T
        u, v = np.abs(2 * r / self.width_mm), np.abs(2 * a / self.depth_mm)
        tall = self.height_at(np.clip(a / self.depth_mm + 0.5, 0, 1)) / 2
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
    found, pitch, at = [], 0.0, np.zeros(3)
    for _, shape in links:
        pitch -= np.deg2rad(shape.wedge_deg) / 2
        c, s = np.cos(pitch), np.sin(pitch)
        axes = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
        found.append((pose @ (at - axes[:, 2] * shape.middle_mm / 2), pose @ axes))
        at = at - axes[:, 2] * shape.middle_mm
        pitch -= np.deg2rad(shape.wedge_deg) / 2
    return found


def _extent(placed, links) -> tuple[np.ndarray, np.ndarray]:
    """Return the world box that holds the chain, the canal behind it, and some space around."""
    ends = []
    for (middle, axes), (_, shape) in zip(placed, links, strict=True):
        half = np.array(
            [max(shape.width_mm, CANAL_MM[1]) / 2, shape.depth_mm / 2, shape.middle_mm / 2 + 2]
        )
        behind = axes @ np.array([0, shape.depth_mm / 2 + GAP_MM + CANAL_MM[0], 0])
        ends += [middle + sign * np.abs(axes) @ half for sign in (-1, 1)] + [middle - behind]
    return np.min(ends, axis=0) - FIELD_MM, np.max(ends, axis=0) + FIELD_MM


def draw(case: Case) -> tuple[Volume, Volume]:
    """Return the subregion and the vertebra map."""
    links = chain(case)
    placed = frames(links, rotation(case.angles_deg))
    spacing = np.array(case.spacing_mm)
    low, high = _extent(placed, links)
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
        behind = local[:, 1] + case.shape.depth_mm / 2 + GAP_MM + CANAL_MM[0] / 2
        for label, (deep, wide) in ((L.CANAL, CANAL_MM), (L.CORD, CORD_MM)):
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
    if case.wrong == "islands":
        maps = tuple(v.with_data(v.data.copy()) for v in maps)
        maps[0].data[2:4, 2:5, 2:5] = L.DISC if label >= DISC_OFFSET else L.BODY_BORDER
        maps[1].data[2:4, 2:5, 2:5] = label
    return maps, "none"


def cells(case: Case) -> dict[str, tuple[float, str, float]]:
    """Return measure -> (truth, kind of limit, a limit's value in the measure's unit)."""
    shape, disc = case.shape, case.kind == "disc"
    at = {"posterior": 0.15, "middle": 0.5, "anterior": 0.85}
    prefix = "disc_height" if disc else "height"
    found = {f"{prefix}_{n}_mm": (shape.height_at(f), "height") for n, f in at.items()}
    found[f"{'disc_' if disc else ''}wedge_angle_deg"] = (shape.wedge_deg, "wedge")
    if disc:
        found["disc_height_mm"] = (shape.middle_mm, "height")
        found["disc_depth_mm"] = (shape.depth_mm, "depth")
        found["disc_width_mm"] = (shape.width_mm, "width")
        found["disc_area_mm2"] = (shape.depth_mm * shape.middle_mm, "area")
    else:
        for place in ("upper", "middle", "lower"):
            found[f"depth_{place}_mm"] = (shape.depth_mm, "depth")
            found[f"width_{place}_mm"] = (shape.width_mm, "width")
    return {
        name: (true, kind, LIMITS[kind] * (true / 100 if kind == "area" else 1))
        for name, (true, kind) in found.items()
    }


def row_of(case: Case, maps: tuple[Volume, Volume]) -> dict:
    """Return the measured row of the structure under test."""
    found = measure(None, *maps)
    label = chain(case)[len(chain(case)) // 2][0]
    if case.kind == "disc":
        return next((r for r in found.discs if r["label_above"] == label - DISC_OFFSET), {})
    return next((r for r in found.vertebrae if r["label"] == label), {})


def judge(case: Case) -> dict[str, str]:
    """Return measure -> verdict.

    Right; said (given, and its status tells why it may be off); off (given as `ok`, but wrong); withheld (rightly); or
    lost (withheld, but right).
    """
    maps = draw(case)
    whole = row_of(case, maps)
    spoilt, harm = spoil(case, maps)
    row = whole if case.wrong == "none" else row_of(case, spoilt)
    verdicts = {}
    for name, (true, kind, limit) in cells(case).items():
        value = row.get(name)
        state = row.get(STATUS[name])
        if value is not None and state != "ok":
            verdicts[name] = "said"
        elif value is not None:
            verdicts[name] = "right" if abs(value - true) <= 2 * limit else "off"
        elif kind == "width" and harm in ("side", "few"):
            verdicts[name] = "withheld"
        else:
            known = whole.get(name)
            verdicts[name] = "lost" if known is None or abs(known - true) <= limit else "withheld"
    return verdicts


def main() -> None:
    """Judge and print, by measure and by what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print each case with a wrong cell")
    args = parser.parse_args()
    rng, tally, by_wrong = (
        np.random.default_rng(args.seed),
        defaultdict(Counter),
        defaultdict(Counter),
    )
    for k in range(args.cases):
        case = sample(rng)
        verdicts = judge(case)
        for name, verdict in verdicts.items():
            tally[name][verdict] += 1
            by_wrong[f"{case.kind}, {case.wrong}"][verdict] += 1
        bad = {n: v for n, v in verdicts.items() if v in ("off", "lost")}
        if args.show and bad:
            print(k, case, bad, flush=True)
    for title, table in (("measure", tally), ("what is wrong", by_wrong)):
        print(f"{title:<28}" + "".join(f"{v:>10}" for v in VERDICTS))
        for name, count in sorted(table.items()):
            print(f"{name:<28}" + "".join(f"{count[v]:>10}" for v in VERDICTS))
    total = sum(tally.values(), Counter())
    good = total["right"] + total["said"] + total["withheld"]
    print(
        f"right or rightly withheld: {good} of {sum(total.values())}, {100 * good / sum(total.values()):.1f} %"
    )


VERDICTS = ("right", "said", "off", "withheld", "lost")
STATUS = {c.name: c.status for table in ("vertebrae", "discs") for c in TABLES[table]}
"""Measure -> its status column."""


if __name__ == "__main__":
    main()
