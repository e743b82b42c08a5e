"""The spine's chain: a smooth curve through the vertebral bodies and discs, top to bottom.

Everything that has to know "along the spine", "behind the spine" or "how far from the spine" asks this
curve, in world millimetres, so that nothing depends on how the voxels are stored.
"""

from __future__ import annotations

from dataclasses import dataclass

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
"""Weight of a component in the search stops growing here, so that one false giant cannot win."""
STEEPEST_DEG = 65.0
"""Steepest course between neighbouring structures: slope of L5-S1 and of a hyperkyphotic chest."""
FREE_DEG = 35.0
"""Courses up to here cost nothing: usual thoracic kyphosis and lumbar lordosis."""
LONGEST_STEP_MM = 130.0
"""Two missing lumbar vertebrae between recognised ones: 3 x (27 + 11) mm, and a little."""
SLAB_MM = 4.0
SMOOTHING_MM = 12.0
"""Half a vertebra's height: the chain follows curves of the spine, not the outline of one body."""
STEP_MM = 2.0


@dataclass(frozen=True)
class Chain:
    """Points every `STEP_MM` from top to bottom (m, 3), unit tangents pointing down (m, 3), arc (m,)."""

    points_mm: np.ndarray
    tangents: np.ndarray
    arc_mm: np.ndarray

    def locate(self, points_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the arc position (n,) and the offset vector from the chain (n, 3) of world points.

        Beyond its ends the chain goes straight on: the arc is negative, or longer than the chain.
        """
        points = np.atleast_2d(points_mm)
        _, nearest = cKDTree(self.points_mm).query(points)
        from_point = points - self.points_mm[nearest]
        along = np.einsum("ij,ij->i", from_point, self.tangents[nearest])
        return self.arc_mm[nearest] + along, from_point - along[:, None] * self.tangents[nearest]

    def overshoot_mm(self, arc_mm: np.ndarray) -> np.ndarray:
        """Return how far arc positions lie beyond the chain's nearer end, 0 between the ends."""
        return np.maximum(np.maximum(-arc_mm, arc_mm - self.arc_mm[-1]), 0.0)

    def down(self, arc_mm: float | np.ndarray) -> np.ndarray:
        """Return the unit vector along the spine, downwards, at arc positions: (3,) or (n, 3)."""
        nearest = np.rint(np.asarray(arc_mm) / STEP_MM).astype(int)
        return self.tangents[np.clip(nearest, 0, len(self.arc_mm) - 1)]

    def backward(self, arc_mm: float | np.ndarray) -> np.ndarray:
        """Return the unit vector towards posterior, at right angles to the spine: (3,) or (n, 3)."""
        down = self.down(arc_mm)
        back = np.array([0.0, -1.0, 0.0]) + down[..., 1:2] * down
        return back / np.linalg.norm(back, axis=-1, keepdims=True)

    def behind_mm(self, arc_mm: np.ndarray, offset_mm: np.ndarray) -> np.ndarray:
        """Return how far positions given by `locate` lie behind the chain (n,), negative in front."""
        return np.einsum("ij,ij->i", offset_mm, self.backward(arc_mm))


def column_map(labels: Volume) -> Volume:
    """Return a map of bodies (1) and discs (2) alone."""
    lookup = np.zeros(256, np.uint8)
    lookup[[BODY_BORDER, BODY]] = 1
    lookup[DISC] = 2
    return labels.with_data(lookup[labels.data])


def spine_chain(labels: Volume) -> Chain | None:
    """Return the chain through the bodies and discs of a subregion map, or None without any of them."""
    components = find_components(column_map(labels), connectivity=6)
    smallest = np.where(components.label == 1, SMALLEST_BODY_NODE_MM3, SMALLEST_DISC_NODE_MM3)
    nodes = np.flatnonzero(components.volume_mm3 >= smallest)
    if not len(nodes):
        return None
    return _smooth_curve(labels, components, best_path(components, nodes))


def best_path(components: Components, nodes: np.ndarray) -> np.ndarray:
    """Choose the components that make the heaviest plausible chain from top to bottom.

    Dynamic programming over components ordered by height: the sum of their volumes (each up to
    `LARGEST_NODE_MM3`), less a part of it where the course leaves the vertical by more than
    `FREE_DEG`. Returns the chosen entries of `nodes` in order from the top.
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
    """Return x and y at `heights` by weighted local straight-line fits (Cleveland 1979)."""
    distance = heights[:, None] - means[2][None, :]
    # Every height keeps at least a weak hold on all slabs, so that gaps are bridged.
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
    # The very ends see half of the neighbourhood only; their direction is that a little further in.
    margin = min(int(SMOOTHING_MM / STEP_MM), (len(points) - 1) // 2)
    if margin:
        tangents[:margin], tangents[-margin:] = tangents[margin], tangents[-margin - 1]
    norm = np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
    return Chain(points, tangents / norm, arc)
