"""Margins of the segmentation, one byte a voxel, and their means within the structures of the final map."""

from __future__ import annotations

import numpy as np

from wirbel.core.geometry import Grid, Volume
from wirbel.core.labels import BODY_LABELS
from wirbel.core.resampling import index_map

STEPS = 254
"""A margin from 0 to 1 is stored in one byte: 1 + margin * STEPS; 0 is where no structure was found."""
LABELS = 256
"""Labels that a map of bytes may hold."""


def mean_margins(
    margin: Volume, vertebra: Volume, subregion: Volume
) -> tuple[dict[int, float], dict[int, float]]:
    """Return label -> mean margin of the voxels that the network gave to any structure, and that of bodies alone.

    Parameters
    ----------
    margin : Volume
        Bytes as `STEPS` says, on any grid.
    vertebra, subregion : Volume
        The final maps.
    """
    found = margin.data > 0
    sizes = margin.data[found] - 1.0
    labels, structures = (labels_at(v, margin.grid, found)[found] for v in (vertebra, subregion))
    bodies = np.where(np.isin(structures, BODY_LABELS), labels, 0)
    return _means(labels, sizes), _means(bodies, sizes)


def _means(labels: np.ndarray, sizes: np.ndarray) -> dict[int, float]:
    total = np.bincount(labels, sizes, minlength=LABELS)
    count = np.bincount(labels, minlength=LABELS)
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
