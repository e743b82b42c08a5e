"""Curves of the spine seen from the front: the largest, the largest other one beside it, their sides and their
apices."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from wirbel.core.labels import DISC_OFFSET, LEVEL_NAMES, LEVELS_TOP_DOWN, disc_name
from wirbel.core.measures import status as S
from wirbel.core.measures.coverage.contiguity import Contiguity
from wirbel.core.measures.frames import Frame
from wirbel.core.measures.shape.endplates import Endplate
from wirbel.core.measures.shape.solids import NO_UPPER_ENDPLATE, Solid

FEWEST_BODIES = 4
"""A coronal curve is looked for where at least so many bodies could be measured."""
LEAST_DEG = 10.0
"""A smaller angle is no scoliosis (Scoliosis Research Society; Cobb 1948): which side it bends to is noise."""
LARGEST = ("cobb_angle_deg", "cobb_upper_level", "cobb_lower_level")
SECOND = ("cobb_second_angle_deg", "cobb_second_upper_level", "cobb_second_lower_level")

Tilts = dict[int, tuple[float, float]]
"""Label of a vertebra -> tilt of its upper and of its lower endplate in degrees, positive where the left is higher."""


def cobb_columns(
    solids: dict[int, Solid], frame: Frame | None, order: Contiguity | None = None
) -> dict:
    """Return the largest coronal curve with its side and apex, and the largest opposite one, each with a status.

    `frame`: axes of the spine in view; `order` tells what lies below a disc, without it all that is there does.
    """
    tilts = {} if frame is None else _tilts(solids, frame)
    names = (*LARGEST, "cobb_side", "cobb_apex_level", *SECOND)
    states = ("cobb_status", "cobb_side_status", "cobb_second_status")
    if frame is None or len(tilts) < FEWEST_BODIES:
        return dict.fromkeys(names) | dict.fromkeys(states, S.NOT_IN_VIEW)
    upper, lower = largest_curve(tilts, combinations(tilts, 2))
    angle = tilts[upper][0] - tilts[lower][1]
    columns = dict(zip(LARGEST, (abs(angle), *_named(upper, lower)), strict=True))
    columns |= {"cobb_status": S.OK} | _side_columns(solids, frame, (upper, lower), angle, order)
    return columns | _second_columns(tilts, upper, lower, angle)


def largest_curve(tilts: Tilts, pairs: Iterable[tuple[int, int]], sign: float = 0.0):
    """Return the pair (upper, lower) with the largest angle, of the given sign where one is given; None without any.

    Two different vertebrae: a wedged one alone is no curve.
    """
    angles = {(a, b): tilts[a][0] - tilts[b][1] for a, b in pairs}
    if sign:
        angles = {pair: angle for pair, angle in angles.items() if angle * sign > 0}
    return max(angles, key=lambda pair: abs(angles[pair])) if angles else None


def _tilts(solids: dict[int, Solid], frame: Frame) -> Tilts:
    def tilt(plate: Endplate) -> float:
        normal = plate.normal
        return float(np.rad2deg(np.arctan2(normal @ frame.right, normal @ frame.superior)))

    tilts = {}
    for key, solid in solids.items():
        upper, lower = solid.endplate(1), solid.endplate(-1)
        whole = key < DISC_OFFSET and LEVEL_NAMES[key] not in NO_UPPER_ENDPLATE
        if whole and upper is not None and lower is not None:
            tilts[key] = tilt(upper), tilt(lower)
    return tilts


def _named(*labels: int) -> tuple[str, ...]:
    return tuple(LEVEL_NAMES[label] for label in labels)


def _side_columns(solids, frame: Frame, ends: tuple[int, int], angle: float, order) -> dict:
    """Return the side of the convexity and the apex of the largest curve.

    Above the apex of a curve that is convex to the right the spine leans to the left, and its endplates are higher on
    the right. The apex is the body or disc whose centre lies furthest towards the convex side from the line between the
    centres of both end vertebrae.
    """
    if abs(angle) < LEAST_DEG:
        return {"cobb_side": None, "cobb_apex_level": None, "cobb_side_status": S.NO_CURVE}
    right = 1.0 if angle < 0 else -1.0
    found = {"cobb_side": "right" if right > 0 else "left", "cobb_side_status": S.OK}
    return found | {"cobb_apex_level": _name(_apex(solids, frame, ends, right), solids, order)}


def _apex(solids, frame: Frame, ends: tuple[int, int], right: float) -> int:
    centres = {
        key: frame.to_local(solid.region.centroid_mm)
        for key, solid in solids.items()
        if solid.region is not None
    }
    (top, bottom), (first, last) = (centres[end] for end in ends), tuple(map(_place, ends))
    between = {k: at for k, at in centres.items() if first <= _place(k) <= last}

    def aside(key: int) -> float:
        share = (between[key][2] - bottom[2]) / (top[2] - bottom[2])
        return right * (between[key][0] - bottom[0] - share * (top[0] - bottom[0]))

    return max(between, key=aside)


def _name(key: int, solids: dict[int, Solid], order: Contiguity | None) -> str:
    """Return the name of a body, or of a disc by the vertebrae above and below."""
    if key < DISC_OFFSET:
        return LEVEL_NAMES[key]
    above = key - DISC_OFFSET
    following = (k for k in solids if k < DISC_OFFSET and _place(k) > _place(key))
    return disc_name(above, order.below(above) if order else min(following, key=_place))


def _place(key: int) -> float:
    """Return where a body, or a disc, stands from the top down."""
    return LEVELS_TOP_DOWN.index(key % DISC_OFFSET) + 0.5 * (key >= DISC_OFFSET)


def _second_columns(tilts: Tilts, upper: int, lower: int, angle: float) -> dict:
    """Return the largest curve of the other direction that lies wholly above or below the largest one."""
    labels = list(tilts)
    above, below = labels[: labels.index(upper) + 1], labels[labels.index(lower) :]
    pairs = [pair for part in (above, below) for pair in combinations(part, 2)]
    found = largest_curve(tilts, pairs, sign=-angle) if angle else None
    if found is None:
        return dict.fromkeys(SECOND) | {
            "cobb_second_status": S.NO_CURVE if pairs else S.NOT_IN_VIEW
        }
    second = abs(tilts[found[0]][0] - tilts[found[1]][1])
    return dict(zip(SECOND, (second, *_named(*found)), strict=True)) | {"cobb_second_status": S.OK}
