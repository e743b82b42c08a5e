"""From the model grid back to a scan's own voxels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wirbel.core.geometry import Grid, Volume, grid_with_spacing, stored_like, turned, upright

Resample = Callable[[Volume, Grid], Volume]


def on_scan_grid(data: np.ndarray, scan: Volume, spacing_mm: tuple, resample: Resample) -> Volume:
    """Return what a network made of a scan that `prepare_image` has prepared, on the scan's grid.

    Both grids are set upright first, so that rounding in the affine reaches no voxel.

    Parameters
    ----------
    data : ndarray, shape (P, I, R)
        Values on the model grid.
    scan : Volume
        The scan, in any orientation.
    spacing_mm : tuple of three float
        Voxel size of the model grid.
    resample : callable
        `wirbel.core.resampling.resample_image` or `resample_labels`.
    """
    flat = upright(turned(scan)).grid
    there = Volume(data, grid_with_spacing(flat, spacing_mm).affine)
    return stored_like(resample(there, flat), scan.grid)
