"""Make both maps agree, and give discs and endplates their vertebra's number.

Until the levels are named, the vertebra map holds counters: 1 ... n for vertebrae from the top
down, 26 for the sacrum, 100 + i for the disc below vertebra i, and 200 + i for the endplates on
both sides of it. 100 and 200 are the disc and endplates below a vertebra above the field of view.
126 and 226 are a disc within the sacrum and its endplates. 150 + i is the disc above vertebra i if
the vertebra above that disc was missed.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from wirbel.core.components import Components, find_components, voxels_of
from wirbel.core.geometry import Volume
from wirbel.core.growth import surface_voxels
from wirbel.core.labels import (
    BODY_LABELS,
    DISC,
    DISC_OFFSET,
    ENDPLATE,
    ENDPLATE_OFFSET,
    SACRUM,
    VERTEBRA_SUBREGIONS,
)
from wirbel.core.spine_curve import Chain, spine_chain

DISC_REACH_MM = 8.0
"""Largest distance of a disc's nearest voxel from a body: an endplate of 1 to 2 mm and the width of a
voxel.
"""
ENDPLATE_REACH_MM = 4.0
"""An endplate lies on its body, but partial volume may leave one thick slice (3 to 3.3 mm) between
them.
"""
MISSED = 50
"""Added to the counter of a disc that lies on the vertebra below it, if the vertebra above was missed."""
SPANNING_SHARE = 0.15
"""A disc component is split into two discs if more than this fraction of its voxels lies at a second
level.
"""


def reconcile(labels: Volume, instances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make both maps agree and number discs and endplates.

    Vertebra voxels without an instance, and discs or endplates that touch neither a vertebra nor
    the sacrum, become background in both maps.

    Parameters
    ----------
    labels : Volume
        A cleaned subregion map, any orientation.
    instances : ndarray, shape (i, j, k)
        Instances 1 ... n on its grid.

    Returns
    -------
    subregion : ndarray, shape (i, j, k)
        Same data type as `labels`.
    vertebra : ndarray of uint8, shape (i, j, k)
        Counters as described above.
    """
    subregion = labels.data.copy()
    vertebra = np.where(np.isin(subregion, VERTEBRA_SUBREGIONS), instances, 0).astype(np.uint8)
    vertebra[subregion == SACRUM] = SACRUM
    bodies = _Bodies(labels, np.where(np.isin(subregion, (*BODY_LABELS, SACRUM)), vertebra, 0))
    vertebra += _disc_numbers(labels, bodies)
    vertebra += _endplate_numbers(labels, bodies, vertebra)
    subregion[vertebra == 0] = np.where(
        np.isin(subregion[vertebra == 0], NUMBERED), 0, subregion[vertebra == 0]
    )
    return subregion, vertebra


NUMBERED = (*VERTEBRA_SUBREGIONS, SACRUM, DISC, ENDPLATE)
"""Structures with a number in the vertebra map; cord and canal have none."""


class _Surfaces:
    """Surface voxels of a numbered map: world mm, shape (m, 3), and their numbers, shape (m,)."""

    def __init__(self, points: np.ndarray, numbers: np.ndarray) -> None:
        self.points, self.numbers = points, numbers
        self._tree = cKDTree(points) if len(points) else None

    def of(self, number: int) -> _Surfaces:
        """Return those of one number."""
        mine = self.numbers == number
        return _Surfaces(self.points[mine], self.numbers[mine])

    def nearest(self, world_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return distance (mm) and number of the nearest surface voxel for each position."""
        if self._tree is None:
            return np.full(len(world_mm), np.inf), np.zeros(len(world_mm), int)
        distance, index = self._tree.query(world_mm)
        return distance, self.numbers[index].astype(int)


def _surfaces(labels: Volume, numbers: np.ndarray) -> _Surfaces:
    voxels = surface_voxels(numbers)
    return _Surfaces(labels.grid.to_world(voxels), numbers[tuple(voxels.T)])


class _Bodies:
    """Numbered bodies and the sacrum, and what both discs and endplates ask of them."""

    def __init__(self, labels: Volume, numbers: np.ndarray) -> None:
        self._labels, self._numbers = labels, numbers
        self.chain = spine_chain(labels)
        self.surfaces = _surfaces(labels, numbers)

    @cached_property
    def middles(self) -> dict[int, float]:
        """The arc position of each body's centroid, in order of their numbers, and of the sacrum's top."""
        assert self.chain is not None  # else nobody asks
        return _middles(self._labels, self._numbers, self.chain)


def _disc_numbers(labels: Volume, bodies: _Bodies) -> np.ndarray:
    """Return 100 + number on disc voxels, 0 elsewhere."""
    out = np.zeros(labels.data.shape, np.uint8)
    chain, surfaces = bodies.chain, bodies.surfaces
    discs = find_components(
        labels.with_data((labels.data == DISC).astype(np.uint8)), connectivity=6
    )
    if chain is None or not len(surfaces.points):
        return out
    for i in range(len(discs)):
        voxels = voxels_of(discs.numbers, i + 1, discs.boxes[i])
        world = labels.grid.to_world(voxels)
        distance, number = surfaces.nearest(world)
        if distance.min() > DISC_REACH_MM:
            continue
        above = _numbers_above(chain.locate(world)[0], number, bodies.middles)
        if _missed_above(above, number, surfaces, world):
            above = MISSED + number
        out[tuple(voxels.T)] = DISC_OFFSET + above
    return out


def _missed_above(above, nearest, surfaces: _Surfaces, world_mm) -> bool:
    """Return True if a disc lies on the vertebra below and is out of reach of the one above, whose
    number it would get.
    """
    lower, upper = nearest[0], above[0]
    if (nearest != lower).any() or lower in (upper, SACRUM) or (above != upper).any() or not upper:
        return False
    distance, _ = surfaces.of(upper).nearest(world_mm)
    return lower == upper + 1 and distance.min() > DISC_REACH_MM


def _numbers_above(arc: np.ndarray, nearest: np.ndarray, levels: dict[int, float]) -> np.ndarray:
    """Return the number of the vertebra above for each voxel of one disc component."""
    # A voxel lies between the middles of two bodies. The whole component goes to its commonest interval,
    # unless a second one has a fair share of it; then each voxel goes to its own.
    numbers = np.array([n for n in levels if n != SACRUM], int)
    middles = np.array([levels[n] for n in numbers])
    in_sacrum = (nearest == SACRUM).all() and arc.mean() > levels[SACRUM]
    if not len(numbers) or in_sacrum:
        return np.full(len(arc), SACRUM)
    before_first = numbers[0] - 1
    above = np.concatenate([[before_first], numbers])
    interval = np.searchsorted(middles, arc)
    count = np.bincount(interval, minlength=len(above))
    if count.sum() - count.max() < SPANNING_SHARE * count.sum():
        interval = np.full(len(arc), count.argmax())
    return above[interval]


def _endplate_numbers(labels: Volume, bodies: _Bodies, vertebra: np.ndarray) -> np.ndarray:
    """Return 200 + number on endplate voxels, 0 on those near neither a disc nor a body.

    Both endplates of a disc carry the number of the vertebra above it, like the disc. If no disc is
    near, the endplate below a body carries the body's number, and the one on top of it the number
    of the body before.
    """
    out = np.zeros(labels.data.shape, np.uint8)
    voxels = np.argwhere(labels.data == ENDPLATE)
    if not len(voxels):
        return out
    world = labels.grid.to_world(voxels)
    distance, body = bodies.surfaces.nearest(world)
    discs = np.where(vertebra >= DISC_OFFSET, vertebra, 0)
    disc_distance, disc = _surfaces(labels, discs).nearest(world)
    on_disc = (disc_distance <= ENDPLATE_REACH_MM) & (disc < DISC_OFFSET + MISSED)
    number = np.where(on_disc, disc - DISC_OFFSET, _plate_of_body(bodies, world, body))
    kept = on_disc | (distance <= ENDPLATE_REACH_MM)
    out[tuple(voxels[kept].T)] = ENDPLATE_OFFSET + number[kept]
    return out


def _plate_of_body(bodies: _Bodies, world_mm: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Return the number of the vertebra above the gap that each endplate voxel faces."""
    chain = bodies.chain
    if chain is None:
        return body
    order = {0: 0, **bodies.middles}
    last = max((number for number in order if number != SACRUM), default=0)
    before = {number: last if number == SACRUM else number - 1 for number in order}
    middle = np.array([order.get(n, 0.0) for n in body])
    on_top = chain.locate(world_mm)[0] < middle
    return np.where(on_top, [before.get(n, 0) for n in body], body)


def _middles(labels: Volume, bodies: np.ndarray, chain: Chain) -> dict[int, float]:
    """Return the arc position of each body's centroid, in order of their numbers, and of the sacrum's
    top.
    """
    found: Components = find_components(labels.with_data(bodies))
    out: dict[int, float] = {}
    for number in np.unique(found.label):
        mine = found.label == number
        weight = found.volume_mm3[mine]
        centre = (found.centroid_mm[mine] * weight[:, None]).sum(0) / weight.sum()
        out[int(number)] = float(chain.locate(centre)[0][0])
    if SACRUM in out:
        voxels = np.argwhere(bodies == SACRUM)
        out[SACRUM] = float(np.quantile(chain.locate(labels.grid.to_world(voxels))[0], 0.05))
    return out
