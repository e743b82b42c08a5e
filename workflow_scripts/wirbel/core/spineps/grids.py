"""Grids and their resampling: first voxels coincide, labels go to the nearest voxel."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import tight_box
from wirbel.core.geometry import Grid, Volume
from wirbel.core.preparation.nibabel_alone import voxel_sizes
from wirbel.core.separable import along_axes, cubic, nearest_if_plain

SAME_MM = 1e-3
"""Voxel sizes that differ by less are not resampled."""
ZOOM_DIGITS = 6
"""Voxel sizes are rounded to so many decimals, one less than there: files store affines in single precision."""

AFFINE_DIGITS = 7
"""SPINEPS rounds the affine of the grid it resamples to. Where model voxels are twice the scan's, every second
scan voxel lies exactly between two of them, and this rounding decides for all alike which is the nearest."""


def rounded(grid: Grid) -> Grid:
    """Return the grid with its affine rounded as SPINEPS rounds it."""
    return Grid(grid.shape, np.round(grid.affine, AFFINE_DIGITS))


def zooms(affine: np.ndarray) -> np.ndarray:
    """Return the voxel sizes in mm, rounded nearly as SPINEPS rounds them."""
    return np.round(voxel_sizes(affine), ZOOM_DIGITS)


def rescaled_grid(grid: Grid, spacing_mm: tuple[float, ...]) -> Grid:
    """Return the grid with voxels of `spacing_mm` whose first voxel's centre is that of `grid`.

    The number of voxels is rounded to the nearest, so up to half a voxel is lost at the far side.
    """
    old = zooms(grid.affine)
    if np.isclose(spacing_mm, old, atol=SAME_MM).all():
        return grid
    shape = np.rint(np.array(grid.shape) * old / np.array(spacing_mm)).astype(int)
    affine = grid.affine.copy()
    affine[:3, :3] = grid.affine[:3, :3] * spacing_mm / voxel_sizes(grid.affine)
    return Grid(tuple(int(n) for n in shape), affine)


def resample(volume: Volume, target: Grid, order: int) -> Volume:
    """Resample with splines of `order` (0 nearest, 3 cubic); the border is repeated, dtype stays.

    Voxel centres are mapped through the affines; nothing is blurred first. Grids along the same axes are taken axis by
    axis, for the same result: cubic splines to rounding, nearest voxels exactly.
    """
    if volume.data.shape == target.shape and np.allclose(volume.affine, target.affine, atol=1e-6):
        return Volume(volume.data, target.affine)
    to_source = np.linalg.inv(volume.affine) @ target.affine
    matrix, offset = to_source[:3, :3], to_source[:3, 3]
    data: np.ndarray | None = None
    if order == 3 and along_axes(matrix, target.shape):
        data = cubic(volume.data, np.diag(matrix), offset, target.shape)
    elif order == 0:
        data = nearest_if_plain(volume.data, matrix, offset, target.shape)
    if data is None:
        data = ndimage.affine_transform(
            volume.data, matrix, offset, target.shape, order=order, mode="nearest"
        )
    return Volume(data, target.affine)


def box_of(mask: np.ndarray, margin: int = 0) -> tuple[slice, ...]:
    """Return the bounding box of a mask with `margin` voxels around it; the whole array if it is empty."""
    box = tight_box(np.asarray(mask, bool))
    if box is None:
        return tuple(slice(0, n) for n in mask.shape)
    return tuple(
        slice(max(s.start - margin, 0), min(s.stop + margin, n))
        for s, n in zip(box, mask.shape, strict=True)
    )
