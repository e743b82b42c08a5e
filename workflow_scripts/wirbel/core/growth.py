"""Spread numbers from labelled voxels over a region, along paths inside it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from wirbel.core.boxes import tight_box
from wirbel.core.geometry import grow_box


def spread(
    seeds: np.ndarray, region: np.ndarray, spacing_mm: np.ndarray, limit_mm: float
) -> np.ndarray:
    """Give each unnumbered voxel of `region` the number of the seed with the shortest path to it.

    Parameters
    ----------
    seeds : ndarray of int, shape (i, j, k)
        Known numbers, 0 elsewhere.
    region : ndarray of bool, shape (i, j, k)
        Where numbers spread. Paths go from voxel to face neighbour, only through unnumbered voxels
        of the region.
    spacing_mm : ndarray, shape (3,)
        Voxel size along each axis.
    limit_mm : float
        Longest path; voxels beyond it stay 0.

    Returns
    -------
    ndarray, shape (i, j, k)
        A new array; numbers outside the region are unchanged.

    Examples
    --------
    >>> seeds = np.array([[[1, 0, 0, 0]]])
    >>> spread(seeds, np.ones(seeds.shape, bool), np.ones(3), limit_mm=2.0).tolist()
    [[[1, 1, 1, 0]]]
    """
    out = seeds.copy()
    unknown = region & (seeds == 0)
    found = tight_box(unknown)
    if found is None:
        return out
    box = grow_box(found, 1, seeds.shape)
    part, target = seeds[box], unknown[box]
    border = ndimage.binary_dilation(target) & (part != 0)
    if not border.any():
        return out
    node = np.full(target.shape, -1, np.int32)
    nodes = target | border
    node[nodes] = np.arange(np.count_nonzero(nodes), dtype=np.int32)
    sources = _nearest_source(node, target, node[border], spacing_mm, limit_mm)
    values = part[nodes]
    reached = sources >= 0
    result = np.where(reached, values[np.where(reached, sources, 0)], 0).astype(out.dtype)
    filled = np.zeros_like(part)
    filled[nodes] = result
    out[box][target] = filled[target]
    return out


def fill_from_nearest(
    seeds: np.ndarray,
    region: np.ndarray,
    affine: np.ndarray,
    limit_mm: float,
    first: tuple[int, ...] = (0, 0, 0),
) -> np.ndarray:
    """Give each unnumbered voxel of `region` the number of the nearest numbered voxel.

    Distances are straight, whatever lies between.

    Parameters
    ----------
    seeds : ndarray of int, shape (i, j, k)
        Known numbers, 0 elsewhere.
    region : ndarray of bool, shape (i, j, k)
        Voxels to fill.
    affine : ndarray, shape (4, 4)
        Voxel -> mm.
    limit_mm : float
        Voxels farther than this from any number stay 0.
    first : tuple of three int
        Index of the arrays' first voxel on a larger grid, from whose origin positions are reckoned, so that rounding
        decides between equal distances as it would there.

    Returns
    -------
    ndarray, shape (i, j, k)
        A new array.
    """
    out = seeds.copy()
    unknown = np.argwhere(region & (seeds == 0))
    known = surface_voxels(seeds)
    if not len(unknown) or not len(known):
        return out
    axes = affine[:3, :3]
    tree = cKDTree((known + first) @ axes.T)
    places = (unknown + first) @ axes.T
    distance, nearest = tree.query(places, distance_upper_bound=limit_mm)
    inside = np.isfinite(distance)
    source = known[nearest[inside]]
    out[tuple(unknown[inside].T)] = seeds[tuple(source.T)]
    return out


def surface_voxels(numbers: np.ndarray) -> np.ndarray:
    """Return the indices (n, 3) of the voxels that `surface` finds."""
    box = tight_box(numbers != 0)
    if box is None:
        return np.zeros((0, numbers.ndim), np.intp)
    return np.argwhere(surface(numbers[box])) + [side.start for side in box]


def surface(numbers: np.ndarray) -> np.ndarray:
    """Return the numbered voxels with a face neighbour of another number, or at the array's edge."""
    outer = numbers != 0
    core, inner = numbers[1:-1, 1:-1, 1:-1], outer[1:-1, 1:-1, 1:-1].copy()
    for axis in range(3):
        for shift in (slice(0, -2), slice(2, None)):
            window = [slice(1, -1)] * 3
            window[axis] = shift
            inner &= numbers[tuple(window)] == core
    outer[1:-1, 1:-1, 1:-1] &= ~inner
    return outer


def _nearest_source(node, target, sources, spacing_mm, limit_mm):
    """Return the nearest source of each node, or -1 (multi-source Dijkstra)."""
    count = int(node.max()) + 1
    rows, columns, lengths = [], [], []
    for axis in range(3):
        low = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        linked = (node[low] >= 0) & (node[high] >= 0) & (target[low] | target[high])
        rows.append(node[low][linked])
        columns.append(node[high][linked])
        lengths.append(np.full(len(rows[-1]), float(spacing_mm[axis])))
    graph = coo_matrix(
        (np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), (count, count)
    ).tocsr()
    _, _, nearest = dijkstra(
        graph,
        directed=False,
        indices=sources,
        min_only=True,
        limit=limit_mm,
        return_predecessors=True,
    )
    return nearest
