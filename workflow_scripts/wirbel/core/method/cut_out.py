"""From a cleaned subregion map to the cut-outs that the instance network is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wirbel.core.geometry import Volume, upright
from wirbel.core.inference_config import InferenceConfig
from wirbel.core.instances import cutouts as own
from wirbel.core.method.names import OWN
from wirbel.core.resampling import on_spacing
from wirbel.core.spineps.merging import both_maps as spineps
from wirbel.errors import ScanError


@dataclass(frozen=True)
class CutOuts:
    """Cut-outs around n vertebral bodies, from the top of the spine down.

    Attributes
    ----------
    labels : ndarray of uint8, shape (n, P, I, R)
        The subregion map in them.
    origin : ndarray of int, shape (n, 3)
        Index of each one's first voxel on the instance grid; may be negative.
    centre_mm : ndarray, shape (n, 3)
        The body centres, RAS+ world.
    spacing_mm : ndarray, shape (3,)
        The grid's voxel size.
    """

    labels: np.ndarray
    origin: np.ndarray
    centre_mm: np.ndarray
    spacing_mm: np.ndarray


def instance_map(
    method: str,
    labels: Volume,
    instance: InferenceConfig,
    spacing_mm: Sequence[float] | None = None,
) -> Volume:
    """Return a subregion map on the instance network's grid.

    `spacing_mm` is that grid's voxel size where it is known already, as by `CutOuts`; it saves nothing for SPINEPS'
    steps, which derive the grid anew.

    Parameters
    ----------
    method : str
        Whose steps: `wirbel.core.method.names`.
    labels : Volume
        Subregion map on the model grid.
    instance : InferenceConfig
        Settings of the instance network.
    spacing_mm : sequence of float, optional
        See above.

    Returns
    -------
    Volume
        Axes (P, I, R).
    """
    if method != OWN:
        return spineps.instance_grid(labels, instance)
    i, j, k = spacing_mm or instance.spacing_for(labels.spacing_mm.tolist())
    return on_spacing(labels, (float(i), float(j), float(k)))


def cut_out(method: str, labels: Volume, instance: InferenceConfig) -> CutOuts:
    """Cut out the surroundings of every vertebral body.

    Parameters
    ----------
    method : str
        `OWN`, `PUBLISHED` or `SPINEPS`.
    labels : Volume
        Cleaned subregion map on the model grid, axes (P, I, R).
    instance : InferenceConfig
        The instance network's settings.

    Raises
    ------
    ScanError
        "no_spine_found" if there is no body.
    """
    grid = instance_map(method, labels, instance)
    if method != OWN:
        return CutOuts(*spineps.cut_outs(grid, instance), grid.spacing_mm)
    flat = upright(grid)
    index = flat.grid.to_index(own.body_centres(flat))
    if not len(index):
        raise ScanError("no_spine_found", "the segmentation has no vertebral body")
    found = [own.cut_out(grid.data, at, instance.cutout_size) for at in index]
    blocks, origins = (np.stack(parts) for parts in zip(*found, strict=True))
    return CutOuts(blocks, origins, grid.grid.to_world(index), grid.spacing_mm)
