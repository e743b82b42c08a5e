"""The spine's chain: a smooth curve through the vertebral bodies and discs, from top to bottom.

All code that needs "along the spine", "behind the spine" or "distance from the spine" uses this
curve. It is in world millimetres, so nothing depends on how the voxels are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from wirbel.core.components import Components, find_components
from wirbel.core.geometry import Volume
from wirbel.core.labels import BODY, BODY_BORDER, DISC

SMALLEST_BODY_NODE_MM3 = 300.0
"""A tenth of the smallest adult body, C3: 16 x 15 x 12 mm (Panjabi et al., Spine 1991;16:861)."""
SMALLEST_DISC_NODE_MM3 = 100.0
"""A tenth of the smallest adult disc, C2-C3: about 15 x 14 x 5 mm."""
LARGEST_NODE_MM3 = 20000.0
"""Larger components get no more weight in the search, so that one false giant cannot win."""
STEEPEST_DEG = 65.0
"""Steepest course between neighbouring structures: the slope of L5-S1 and of a hyperkyphotic thoracic
spine.
"""
FREE_DEG = 35.0
"""Courses up to this angle cost nothing: usual thoracic kyphosis and lumbar lordosis."""
LONGEST_STEP_MM = 130.0
"""Two missing lumbar vertebrae between recognised ones: 3 x (27 + 11) mm, and a margin."""
SLAB_MM = 4.0
SMOOTHING_MM = 12.0
"""Half a vertebra's height: the chain follows the curves of the spine, not the outline of one body."""
STEP_MM = 2.0


@dataclass(frozen=True)
class Chain:
    """The curve, sampled every `STEP_MM` from top to bottom.

    Attributes
    ----------
    points_mm : ndarray, shape (m, 3)
        RAS+ world positions.
    tangents : ndarray, shape (m, 3)
        Unit vectors that point down the spine.
    arc_mm : ndarray, shape (m,)
        Length along the curve from its top.
    """

    points_mm: np.ndarray
    tangents: np.ndarray
    arc_mm: np.ndarray

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.points_mm)

    def locate(self, points_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Locate world points relative to the chain.

        Beyond its ends the chain continues straight: the arc position is negative, or longer than
        the chain.

        Parameters
        ----------
        points_mm : ndarray, shape (n, 3) or (3,)
            RAS+ world positions.

        Returns
        -------
        arc_mm : ndarray, shape (n,)
            Position along the chain.
        offset_mm : ndarray, shape (n, 3)
            Vector from the chain to the point.
        """
        points = np.atleast_2d(points_mm)
        _, nearest = self._tree.query(points)
        from_point = points - self.points_mm[nearest]
        along = np.einsum("ij,ij->i", from_point, self.tangents[nearest])
        return self.arc_mm[nearest] + along, from_point - along[:, None] * self.tangents[nearest]

    def overshoot_mm(self, arc_mm: np.ndarray) -> np.ndarray:
        """Return how far arc positions lie beyond the nearer end of the chain; 0 between the ends."""
        return np.maximum(np.maximum(-arc_mm, arc_mm - self.arc_mm[-1]), 0.0)

    def down(self, arc_mm: float | np.ndarray) -> np.ndarray:
        """Return the unit vector down the spine at arc positions, shape (3,) or (n, 3)."""
        nearest = np.rint(np.asarray(arc_mm) / STEP_MM).astype(int)
        return self.tangents[np.clip(nearest, 0, len(self.arc_mm) - 1)]

    def backward(self, arc_mm: float | np.ndarray) -> np.ndarray:
        """Return the unit vector towards posterior, perpendicular to the spine, shape (3,) or (n, 3)."""
        down = self.down(arc_mm)
        back = np.array([0.0, -1.0, 0.0]) + down[..., 1:2] * down
        return back / np.linalg.norm(back, axis=-1, keepdims=True)

    def behind_mm(self, arc_mm: np.ndarray, offset_mm: np.ndarray) -> np.ndarray:
        """Return how far positions from `locate` lie behind the chain, shape (n,); negative in front
        of it.
        """
        return np.einsum("ij,ij->i", offset_mm, self.backward(arc_mm))


def column_map(labels: Volume) -> Volume:
    """Return a map with only bodies (1) and discs (2)."""
    lookup = np.zeros(256, np.uint8)
    lookup[[BODY_BORDER, BODY]] = 1
    lookup[DISC] = 2
    return labels.with_data(lookup[labels.data])


def column_components(labels: Volume) -> Components:
    """Return the components of bodies (label 1) and of discs (2) of a subregion map."""
    return find_components(column_map(labels), connectivity=6)


def spine_chain(labels: Volume, components: Components | None = None) -> Chain | None:
    """Return the chain through the bodies and discs of a subregion map.

    Parameters
    ----------
    labels : Volume
        Subregion labels, any orientation.
    components : Components, optional
        Those of `column_components`, where they are known already.

    Returns
    -------
    Chain or None
        None if there is no body and no disc.
    """
    components = components or column_components(labels)
    smallest = np.where(components.label == 1, SMALLEST_BODY_NODE_MM3, SMALLEST_DISC_NODE_MM3)
    nodes = np.flatnonzero(components.volume_mm3 >= smallest)
    if not len(nodes):
        return None
    return _smooth_curve(labels, components, best_path(components, nodes))


def best_path(components: Components, nodes: np.ndarray) -> np.ndarray:
    """Choose the components that make the heaviest plausible chain from top to bottom.

    Dynamic programming over components ordered by height maximises the sum of their volumes (each
    up to `LARGEST_NODE_MM3`). A component loses part of its volume if the course to it is more than
    `FREE_DEG` from the vertical.

    Parameters
    ----------
    components : Components
        Bodies and discs.
    nodes : ndarray of int
        Indices of those to consider.

    Returns
    -------
    ndarray of int
        The chosen indices, from the top down.
    """
    nodes = nodes[np.argsort(-components.centroid_mm[nodes, 2], kind="stable")]
    centre = components.centroid_mm[nodes]
    weight = np.minimum(components.volume_mm3[nodes], LARGEST_NODE_MM3)
    score, previous = weight.copy(), np.full(len(nodes), -1)
    for i in range(1, len(nodes)):
        step = centre[i] - centre[:i]
        length = np.maximum(np.linalg.norm(step, axis=1), 1e-6)
        angle = np.degrees(np.arccos(np.clip(-step[:, 2] / length, -1, 1)))
        cost = weight[i] * np.clip((angle - FREE_DEG) / (STEEPEST_DEG - FREE_DEG), 0, 1)
        total = np.where((angle > STEEPEST_DEG) | (length > LONGEST_STEP_MM), -1, score[:i] - cost)
        if total.max() > 0:
            previous[i] = int(total.argmax())
            score[i] += total.max()
    path = [int(score.argmax())]
    while previous[path[-1]] >= 0:
        path.append(int(previous[path[-1]]))
    return nodes[path[::-1]]


def _smooth_curve(labels: Volume, components: Components, chosen: np.ndarray) -> Chain:
    """Fit x and y as smooth functions of height through the centres of thin horizontal slabs."""
    points = np.concatenate(
        [
            np.argwhere(components.numbers[box] == i + 1) + [s.start for s in box]
            for i, box in ((int(i), components.boxes[i]) for i in chosen)
        ]
    )
    world = labels.grid.to_world(points)
    slab = ((world[:, 2].max() - world[:, 2]) / SLAB_MM).astype(int)
    count = np.bincount(slab).astype(float)
    used = count > 0
    means = [np.bincount(slab, world[:, a])[used] / count[used] for a in range(3)]
    heights = np.arange(world[:, 2].max(), world[:, 2].min() - STEP_MM, -STEP_MM)
    curve = np.stack([*_local_lines(means, count[used], heights), heights], axis=1)
    return _equally_spaced(curve)


def _local_lines(means, weight, heights):
    """Yield x, then y, at `heights` by weighted local straight-line fits (Cleveland 1979)."""
    distance = heights[:, None] - means[2][None, :]
    # The small constant ties every height weakly to all slabs, so that gaps are bridged.
    kernel = weight * (np.exp(-0.5 * (distance / SMOOTHING_MM) ** 2) + 1e-6)
    total, first, second = (np.sum(kernel * distance**k, axis=1) for k in range(3))
    spread = np.maximum(second * total - first**2, 1e-9)
    for axis in range(2):
        value = kernel @ means[axis]
        moment = (kernel * distance) @ means[axis]
        yield (second * value - first * moment) / spread


def _equally_spaced(curve: np.ndarray) -> Chain:
    if len(curve) < 2:
        curve = np.concatenate([curve, curve[-1:] - [0, 0, STEP_MM]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    arc = np.arange(0, length[-1] + 1e-6, STEP_MM)
    arc = arc if len(arc) > 1 else np.array([0, STEP_MM])
    points = np.stack([np.interp(arc, length, curve[:, a]) for a in range(3)], axis=1)
    tangents = np.gradient(points, axis=0)
    # At the ends only half of the neighbourhood exists, so they take the direction from further inside.
    margin = min(int(SMOOTHING_MM / STEP_MM), (len(points) - 1) // 2)
    if margin:
        tangents[:margin], tangents[-margin:] = tangents[margin], tangents[-margin - 1]
    norm = np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
    return Chain(points, tangents / norm, arc)
