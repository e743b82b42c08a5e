"""Images and label maps on another grid: by splines, and label by label."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import label_boxes
from wirbel.core.geometry import Grid, Volume, grid_with_spacing, grow_box
from wirbel.core.separable import cubic, linear
from wirbel.core.slabs import slabs

TIE_BREAK_VOXELS = np.array([1.0e-3, 1.3e-3, 1.7e-3])
"""Shift with which labels are sampled, so that a position half-way between two labels always goes to
the same side, whatever the rounding in an affine. What one face gains, the opposite face loses.
"""
BY_AXIS = {1: linear, 3: cubic}
MODES = {1: "constant", 3: "nearest"}
"""What lies outside of the voxels: 0 for linear interpolation, of a label; for splines the border, repeated."""


def on_spacing(labels: Volume, spacing_mm: tuple[float, float, float]) -> Volume:
    """Resample a label map to voxels of `spacing_mm`; return it unchanged if it has them already."""
    if np.allclose(labels.spacing_mm, spacing_mm, atol=1e-3):
        return labels
    return resample_labels(labels, grid_with_spacing(labels.grid, spacing_mm))


def index_map(source: Grid, target: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return (matrix, offset) such that source_index = matrix @ target_index + offset.

    Parameters
    ----------
    source, target : Grid
        Both grids.

    Returns
    -------
    matrix : ndarray, shape (3, 3)
    offset : ndarray, shape (3,)
        In source voxels.
    """
    combined = np.linalg.inv(source.affine) @ target.affine
    combined[np.abs(combined) < 1e-9] = 0.0
    return combined[:3, :3], combined[:3, 3]


def resample_image(volume: Volume, target: Grid) -> Volume:
    """Resample intensities by cubic splines.

    Outside the source's field of view the nearest voxel is repeated. Large volumes are resampled
    slab by slab (`wirbel.core.slabs`).

    Parameters
    ----------
    volume : Volume
        Intensities.
    target : Grid
        The new grid, in any orientation.

    Returns
    -------
    Volume
        float32, clipped to the range of the source.

    Examples
    --------
    >>> volume = Volume(np.full((4, 4, 4), 7.0), np.eye(4))
    >>> resample_image(volume, Grid((2, 2, 2), np.diag([2.0, 2.0, 2.0, 1.0]))).data.max()
    np.float32(7.0)
    """
    matrix, offset = index_map(volume.grid, target)
    # A Gaussian of sqrt(scale^2 - 1) voxels full width at half maximum (2.355 standard deviations) makes
    # a target voxel collect its own width, so that downsampling does not alias.
    scale = np.linalg.norm(matrix, axis=1)
    sigma = np.sqrt(np.maximum(scale**2 - 1, 0)) / 2.355
    sigma = sigma if sigma.max() > 0.1 else np.zeros(3)
    out = np.empty(target.shape, np.float32)
    lowest, highest = [], []
    for slab in slabs(volume.data.shape, target.shape, matrix, offset, sigma):
        data = np.array(volume.data[slab.source], np.float32, order="C")
        if sigma.any():
            ndimage.gaussian_filter(data, sigma, mode="nearest", output=data)
        lowest.append(data[slab.own].min())
        highest.append(data[slab.own].max())
        part = out[slab.target]
        if part.size:
            part[:] = _transform(data, matrix, slab.offset, part.shape, order=3)
    return Volume(np.clip(out, min(lowest), max(highest)), target.affine)


def resample_labels(volume: Volume, target: Grid) -> Volume:
    """Resample a label map: each label is interpolated linearly, and the strongest wins.

    Unlike nearest-neighbour interpolation, this keeps surfaces smooth and volumes unbiased if voxel
    sizes differ.

    Parameters
    ----------
    volume : Volume
        Labels; 0 is background.
    target : Grid
        The new grid, in any orientation.

    Returns
    -------
    Volume
        Of the same data type. Outside the source's field of view: background.

    Examples
    --------
    >>> labels = Volume(np.array([[[0, 0, 5, 5]]], np.uint8), np.eye(4))
    >>> fine = grid_with_spacing(labels.grid, (1.0, 1.0, 0.5))
    >>> resample_labels(labels, fine).data[0, 0].tolist()
    [0, 0, 0, 0, 5, 5, 5, 5]
    """
    matrix, offset = index_map(volume.grid, target)
    offset = offset + TIE_BREAK_VOXELS
    inverse = np.linalg.inv(matrix)
    out = np.zeros(target.shape, volume.data.dtype)
    best = np.zeros(target.shape, np.float32)
    total = np.zeros(target.shape, np.float32)
    for label, box in label_boxes(volume.data).items():  # each label only in its own bounding box
        window = _image_of_box(box, inverse, offset, target.shape)
        if window is None:
            continue
        mask = _padded_mask(volume.data, label, box)
        start = np.array([s.start for s in box]) - 1
        shift = matrix @ np.array([s.start for s in window]) + offset - start
        size = tuple(s.stop - s.start for s in window)
        weight = _transform(mask, matrix, shift, size, order=1)
        stronger = weight > best[window] + 1e-6
        out[window][stronger] = label
        best[window][stronger] = weight[stronger]
        total[window] += weight
    out[best < 1 - total] = 0
    return Volume(out, target.affine)


def _transform(data, matrix, offset, shape, order):
    """Interpolate by cubic splines (order 3, the border is repeated) or linearly (order 1, 0 outside)."""
    if np.allclose(matrix, np.diag(np.diag(matrix))):
        return BY_AXIS[order](data, np.diag(matrix), offset, shape)
    return ndimage.affine_transform(
        data, matrix, offset, shape, np.float32, order, mode=MODES[order]
    )


def _padded_mask(labels, label, box):
    """Return the label's mask in its box and one voxel around it; at the array's edge the outermost
    layer repeats.
    """
    wide = grow_box(box, 1, labels.shape)
    missing = [
        (w.start - (b.start - 1), (b.stop + 1) - w.stop) for w, b in zip(wide, box, strict=True)
    ]
    return np.pad((labels[wide] == label).astype(np.float32), missing, mode="edge")


def _image_of_box(box, inverse, offset, shape):
    """Return the target box that a source box can affect, or None."""
    corners = np.array(np.meshgrid(*[(s.start - 1, s.stop) for s in box], indexing="ij"))
    mapped = (corners.reshape(3, -1).T - offset) @ inverse.T
    low = np.maximum(np.floor(mapped.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(mapped.max(0)).astype(int) + 1, shape)
    if (low >= high).any():
        return None
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
