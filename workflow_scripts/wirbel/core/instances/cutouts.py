"""Cut-outs around the centres of the vertebral bodies: the input of the instance network."""

from __future__ import annotations

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.instances.bodies import separate_bodies


def body_centres(labels: Volume) -> np.ndarray:
    """Return the centroid of every vertebral body.

    Bodies that the semantic phase merged are split first, and fragments of one body joined
    (`wirbel.core.instances.bodies`).

    Parameters
    ----------
    labels : Volume
        A cleaned subregion map, any orientation.

    Returns
    -------
    ndarray, shape (n, 3)
        RAS+ mm, from the top of the spine down.
    """
    return separate_bodies(labels).centre_mm


def cut_out(
    labels: np.ndarray, centre_index: np.ndarray, size: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a block around a voxel position; the part outside the map is 0.

    Parameters
    ----------
    labels : ndarray, shape (i, j, k)
        The map.
    centre_index : array_like, shape (3,)
        May be fractional; lands on index `size // 2` of the block.
    size : tuple of three int
        Voxels of the block.

    Returns
    -------
    block : ndarray, shape `size`
        Same data type as `labels`.
    origin : ndarray of int32, shape (3,)
        Index of the block's first voxel in `labels`; negative if the block begins outside.

    Examples
    --------
    >>> block, origin = cut_out(np.arange(27).reshape(3, 3, 3), [0, 1, 1], (3, 1, 1))
    >>> block.ravel().tolist(), origin.tolist()
    ([0, 4, 13], [-1, 1, 1])
    """
    origin = np.floor(np.asarray(centre_index, float) + 0.5).astype(np.int32) - np.array(size) // 2
    block = np.zeros(size, labels.dtype)
    source, target = overlap(origin, size, labels.shape)
    block[target] = labels[source]
    return block, origin.astype(np.int32)


def overlap(
    origin: np.ndarray, size: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the part of a map that a block covers.

    Parameters
    ----------
    origin : array_like, shape (3,)
        Index of the block's first voxel in the map; may lie outside.
    size, shape : tuple of three int
        Voxels of the block and of the map.

    Returns
    -------
    source, target : tuples of slices
        The part within the map, and within the block.

    Examples
    --------
    >>> overlap((-1,), (3,), (10,))
    ((slice(0, 2, None),), (slice(1, 3, None),))
    """
    low = np.clip(origin, 0, shape)
    high = np.maximum(np.clip(np.add(origin, size), 0, shape), low)
    source = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    target = tuple(slice(int(a - o), int(b - o)) for a, b, o in zip(low, high, origin, strict=True))
    return source, target
