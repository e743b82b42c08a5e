"""Cut-outs around the centres of the vertebral bodies, the instance network's input."""

from __future__ import annotations

import numpy as np

from wirbel.core.bodies import separate_bodies
from wirbel.core.geometry import Volume


def body_centres(labels: Volume) -> np.ndarray:
    """Return the centroid of every vertebral body (n, 3), world mm, from the top of the spine down.

    `labels` is a cleaned subregion map in any orientation. Bodies that the semantic phase merged are
    split first and fragments of one body joined, see `wirbel.core.bodies`.
    """
    return separate_bodies(labels).centre_mm


def cut_out(
    labels: np.ndarray, centre_index: np.ndarray, size: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a block of `size` voxels around a voxel position; what lies outside the map is 0.

    `centre_index` (3,) may be fractional and lands on index size // 2 of the block. Returns the block and the
    index (3,) int32 of its first voxel in `labels`, negative where the block begins outside.
    """
    origin = np.floor(np.asarray(centre_index, float) + 0.5).astype(np.int32) - np.array(size) // 2
    block = np.zeros(size, labels.dtype)
    source, target = overlap(origin, size, labels.shape)
    block[target] = labels[source]
    return block, origin.astype(np.int32)


def overlap(
    origin: np.ndarray, size: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the part of a map that a block covers, as slices of the map and slices of the block."""
    low = np.clip(origin, 0, shape)
    high = np.maximum(np.clip(np.add(origin, size), 0, shape), low)
    source = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    target = tuple(slice(int(a - o), int(b - o)) for a, b, o in zip(low, high, origin, strict=True))
    return source, target
