"""The vertebrae of a result from the top down, with everything the checks need to know about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from wirbel.core.labels import (
    BODY_LABELS,
    CORD,
    DISC_OFFSET,
    INFERIOR_ARTICULAR_LEFT,
    INFERIOR_ARTICULAR_RIGHT,
    LEVEL_NAMES,
    POSTERIOR_ELEMENTS,
    SACRUM,
    SPINOUS_PROCESS,
    SUPERIOR_ARTICULAR_LEFT,
    SUPERIOR_ARTICULAR_RIGHT,
)
from wirbel.core.measures.coverage.counts import cut_off
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps

SUPERIOR = (SUPERIOR_ARTICULAR_LEFT, SUPERIOR_ARTICULAR_RIGHT)
INFERIOR = (INFERIOR_ARTICULAR_LEFT, INFERIOR_ARTICULAR_RIGHT)
CANAL_POINTS = 20000
"""This many voxels of the canal are enough to know where it runs."""
EVERY_CORNER = np.ones((3, 3, 3))


@dataclass(frozen=True)
class Link:
    """A vertebra with a body.

    Attributes
    ----------
    centre_mm, volume_mm3, moments_mm2 : ndarray (3,), float, ndarray (3, 3)
        Of the body.
    whole : bool
        True if the body does not reach the border.
    in_profile : bool
        True if the border cuts off no more than its flanks, as that of narrow slabs does.
    second_piece : float
        Size of its second largest piece relative to the largest.
    arch_mm, arch_mm3 : ndarray (3,) or None, float
        Centre and volume of the posterior elements.
    spinous_mm, superior_mm, inferior_mm : ndarray (3,) or None
        Centres of some of them.
    """

    label: int
    centre_mm: np.ndarray
    volume_mm3: float
    whole: bool
    in_profile: bool
    second_piece: float
    moments_mm2: np.ndarray
    arch_mm: np.ndarray | None
    arch_mm3: float
    spinous_mm: np.ndarray | None
    superior_mm: np.ndarray | None
    inferior_mm: np.ndarray | None

    @property
    def level(self) -> str:
        """The vertebra's name."""
        return LEVEL_NAMES[self.label]

    @property
    def thinness(self) -> float:
        """The body's extent along its thinnest axis relative to its longest."""
        moments = np.linalg.eigvalsh(self.moments_mm2)
        return float(np.sqrt(moments[0] / moments[-1]))

    def extent_mm(self, direction: np.ndarray) -> float:
        """Return the length, along a unit vector, of a box with the same spread as the body."""
        return float(np.sqrt(12 * direction @ self.moments_mm2 @ direction))


class WholeChain:
    """Everything the checks look at, in world coordinates, so that storage order and obliqueness do
    not matter.
    """

    def __init__(self, maps: LabelMaps) -> None:
        self.maps = maps
        found = [(v, maps.part(v, BODY_LABELS)) for v in maps.numbered]
        self.links = [_link(maps, v, body) for v, body in found if body is not None]
        self.without_body = [v for v, body in found if body is None]
        self.discs = maps.discs

    @cached_property
    def centres_mm(self) -> np.ndarray:
        """Centres of all bodies, shape (n, 3), from the top down by their names."""
        return np.array([link.centre_mm for link in self.links]).reshape(-1, 3)

    @cached_property
    def whole(self) -> list[Link]:
        """The bodies that do not reach the border."""
        return [link for link in self.links if link.whole]

    @cached_property
    def in_profile(self) -> list[Link]:
        """The bodies of which the border cuts off no more than flanks."""
        return [link for link in self.links if link.in_profile]

    @cached_property
    def upwards(self) -> np.ndarray:
        """Unit vectors, shape (n, 3), along the chain towards its first vertebra, one per body; needs
        two bodies.
        """
        return -unit(np.gradient(self.centres_mm, axis=0))

    @cached_property
    def canal_mm(self) -> np.ndarray:
        """World positions of some voxels of canal and cord, shape (n, 3)."""
        return _thinned(self.maps.canal_points_mm)

    @cached_property
    def cord_mm(self) -> np.ndarray:
        """World positions of some voxels of the cord, shape (n, 3)."""
        region = self.maps.structure(CORD)
        return np.empty((0, 3)) if region is None else _thinned(region.points_mm)

    @cached_property
    def sacrum(self) -> Region | None:
        """The sacrum."""
        return self.maps.structure(SACRUM)

    def disc_in_map(self, label: int) -> bool:
        """Whether the map holds the disc below a vertebra."""
        return DISC_OFFSET + label in self.maps.boxes

    def in_view(self, point_mm: np.ndarray) -> bool:
        """Whether a world point lies inside the scan."""
        index = self.maps.subregion.grid.to_index(point_mm)
        return bool((index >= 0).all() and (index < self.maps.subregion.data.shape).all())


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors (..., 3) scaled to length 1; zeros stay."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _thinned(points: np.ndarray) -> np.ndarray:
    """Return some evenly chosen points, shape (n, 3), the same for any order of the input."""
    step = len(points) // CANAL_POINTS
    return points if step < 2 else points[np.lexsort(np.round(points, 2).T)][::step]


def _link(maps: LabelMaps, label: int, body: Region) -> Link:
    def centre(subregions: tuple[int, ...]) -> np.ndarray | None:
        part = maps.part(label, subregions)
        return None if part is None else part.centroid_mm

    arch = maps.part(label, POSTERIOR_ELEMENTS)
    return Link(
        label,
        body.centroid_mm,
        body.volume_mm3,
        not body.touches_border,
        not cut_off(body),
        _second_piece(body.mask),
        _moments_mm2(body),
        None if arch is None else arch.centroid_mm,
        0.0 if arch is None else arch.volume_mm3,
        centre((SPINOUS_PROCESS,)),
        centre(SUPERIOR),
        centre(INFERIOR),
    )


def _moments_mm2(body: Region) -> np.ndarray:
    """Return the covariance (3, 3) of a body's points, voxels being boxes and not points."""
    across_a_voxel = body.grid.affine[:3, :3] @ body.grid.affine[:3, :3].T / 12
    offsets = body.points_mm - body.centroid_mm
    return offsets.T @ offsets / len(offsets) + across_a_voxel


def _second_piece(mask: np.ndarray) -> float:
    pieces, number = ndimage.label(mask, EVERY_CORNER)
    if number < 2:
        return 0.0
    sizes = np.sort(np.bincount(pieces.ravel())[1:])
    return float(sizes[-2] / sizes[-1])
