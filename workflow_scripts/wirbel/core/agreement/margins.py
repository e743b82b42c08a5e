"""Margins of the segmentation, one byte a voxel, and their means within the structures of the final map."""

from __future__ import annotations

import numpy as np

from wirbel.core.geometry import Grid, Volume, index_map

STEPS = 254
"""A margin from 0 to 1 is stored in one byte: 1 + margin * STEPS; 0 is where no structure was found."""
LABELS = 256
"""Labels that a map of bytes may hold."""


def mean_margins(margin: Volume, vertebra: Volume) -> dict[int, float]:
    """Return label -> mean margin of the voxels that the network gave to any structure.

    `margin` holds bytes as `STEPS` says, on any grid; `vertebra` is the final map.
    """
    found = margin.data > 0
    where = labels_at(vertebra, margin.grid, found)[found]
    total = np.bincount(where, margin.data[found] - 1.0, minlength=LABELS)
    count = np.bincount(where, minlength=LABELS)
    return {int(n): float(total[n] / count[n] / STEPS) for n in np.flatnonzero(count) if n}


def labels_at(volume: Volume, grid: Grid, where: np.ndarray) -> np.ndarray:
    """Return a map's nearest label at the voxels of another grid that `where` names; 0 at all others.

    `where` is bool of the shape of `grid`. Outside of the map: 0.
    """
    matrix, offset = index_map(volume.grid, grid)
    out = np.zeros(grid.shape, volume.data.dtype)
    voxels = np.nonzero(where)
    places = np.rint(np.stack(voxels, axis=1) @ matrix.T + offset).astype(np.intp)
    inside = ((places >= 0) & (places < volume.data.shape)).all(axis=1)
    out[tuple(axis[inside] for axis in voxels)] = volume.data[tuple(places[inside].T)]
    return out
