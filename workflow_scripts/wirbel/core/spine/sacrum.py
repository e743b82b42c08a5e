"""The sacrum, and where pieces of body lie beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from wirbel.core.components import Components, find_components, voxels_of
from wirbel.core.geometry import Volume
from wirbel.core.growth import surface
from wirbel.core.instances.body_cuts import Part
from wirbel.core.labels import SACRUM
from wirbel.core.spine.extents import is_large
from wirbel.core.spine.surroundings import SAMPLES

SMALLEST_SACRUM_MM3 = 1000.0
"""A tip of the sacrum at the border of the image; smaller ones tell nothing."""


@dataclass(frozen=True)
class Sacrum:
    """The largest component that is called sacrum: voxels (m, 3) world mm, a tree of its surface, and whether it
    is cut."""

    points_mm: np.ndarray
    surface: cKDTree | None
    volume_mm3: float
    length_mm: float
    cut: bool


def find_sacrum(labels: Volume) -> Sacrum:
    """Return the largest component that is called sacrum."""
    found: Components = find_components(labels.with_data((labels.data == SACRUM).astype(np.uint8)))
    if not len(found) or found.volume_mm3.max() < SMALLEST_SACRUM_MM3:
        return Sacrum(np.zeros((0, 3)), None, 0.0, 0.0, True)
    largest = int(found.volume_mm3.argmax())
    voxels = voxels_of(found.numbers, largest + 1, found.boxes[largest])
    box = found.boxes[largest]
    mask = np.pad((found.numbers[box] == largest + 1).astype(np.uint8), 1)
    outer = np.argwhere(surface(mask)) - 1 + [side.start for side in box]
    points = labels.grid.to_world(voxels)
    top, tip = points[np.argmax(points[:, 2])], points[np.argmin(points[:, 2])]
    cut = bool(
        ((voxels == 0) | (voxels == np.array(labels.data.shape) - 1))[:, _up_axes(labels)].any()
    )
    volume = float(found.volume_mm3[largest])
    return Sacrum(
        points, cKDTree(labels.grid.to_world(outer)), volume, float(np.linalg.norm(top - tip)), cut
    )


def _up_axes(labels: Volume) -> list[int]:
    """Return the array axes that are not from left to right."""
    return [i for i, code in enumerate(labels.axes) if code not in "LR"]


FEW = 100
"""Voxels that bound a distance from above before all are asked: the search then passes over most of the tree."""


def distance_mm(sacrum: Sacrum, part: Part) -> float:
    """Return how far a piece's voxels and the sacrum's surface lie apart; infinite without a sacrum."""
    if sacrum.surface is None:
        return np.inf
    points = part.world_mm[:: max(1, len(part.world_mm) // SAMPLES)]
    bound = float(sacrum.surface.query(points[:: max(1, len(points) // FEW)])[0].min())
    return min(bound, float(sacrum.surface.query(points, distance_upper_bound=bound)[0].min()))


def height_in_sacrum(sacrum: Sacrum, centre: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Return the share of the sacrum that lies above each centre, along the axis from a lumbar body to the sacrum.

    The axis begins at the second nearest of the large pieces: the nearest may be a part of the sacrum itself.
    """
    if sacrum.surface is None:
        return np.zeros(len(centre))
    middle = sacrum.points_mm.mean(0)
    large = np.flatnonzero(is_large(volume))
    nearest = large[np.argsort(np.linalg.norm(centre[large] - middle, axis=1))]
    axis = middle - centre[nearest[min(1, len(nearest) - 1)]]
    axis /= max(np.linalg.norm(axis), 1e-9)
    heights = np.sort(sacrum.points_mm @ axis)
    return np.searchsorted(heights, centre @ axis) / len(heights)
