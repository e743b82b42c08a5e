"""Volumes with their affine: orientation, spacing and resampling.

Affines map voxel indices (i, j, k) to RAS+ world millimetres, as in nibabel. Nothing here depends
on how a file stores its axes: functions that need a certain order of axes take a reoriented volume.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.orientations import (
    aff2axcodes,
    apply_orientation,
    axcodes2ornt,
    inv_ornt_aff,
    io_orientation,
    ornt_transform,
)
from scipy import ndimage

from wirbel.core.boxes import Box, label_boxes
from wirbel.core.separable import cubic, linear
from wirbel.core.slabs import slabs

MODEL_AXES = ("P", "I", "R")
"""Orientation of the model grid: indices grow towards posterior, inferior, right."""

TIE_BREAK_VOXELS = np.array([1.0e-3, 1.3e-3, 1.7e-3])
"""Shift with which labels are sampled, so that a position half-way between two labels always goes to
the same side, whatever the rounding in an affine. What one face gains, the opposite face loses.
"""
BY_AXIS = {1: linear, 3: cubic}
MODES = {1: "constant", 3: "nearest"}
"""What lies outside of the voxels: 0 for linear interpolation, of a label; for splines the border, repeated."""
TOWARDS = {
    "R": (1.0, 0.0, 0.0),
    "L": (-1.0, 0.0, 0.0),
    "A": (0.0, 1.0, 0.0),
    "P": (0.0, -1.0, 0.0),
    "S": (0.0, 0.0, 1.0),
    "I": (0.0, 0.0, -1.0),
}
"""Anatomical direction -> unit vector in RAS."""


@dataclass(frozen=True)
class Grid:
    """A voxel grid.

    Attributes
    ----------
    shape : tuple of three int
        Voxels along each array axis.
    affine : ndarray, shape (4, 4)
        Voxel index -> RAS+ mm.

    Examples
    --------
    >>> grid = Grid((10, 20, 30), np.diag([3.3, 0.9, 0.9, 1.0]))
    >>> grid.axes
    ('R', 'A', 'S')
    >>> grid.to_world([1, 0, 0]).tolist()
    [3.3, 0.0, 0.0]
    """

    shape: tuple[int, ...]
    affine: np.ndarray

    @property
    def spacing_mm(self) -> np.ndarray:
        """Voxel size along each array axis, shape (3,), in mm."""
        return voxel_sizes(self.affine)

    @property
    def axes(self) -> tuple[str, str, str]:
        """Anatomical direction in which each index grows, such as ("P", "I", "R")."""
        return aff2axcodes(self.affine)

    def to_world(self, index: np.ndarray) -> np.ndarray:
        """Map voxel indices, shape (..., 3), to RAS+ mm, shape (..., 3)."""
        return np.asarray(index) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, world_mm: np.ndarray) -> np.ndarray:
        """Map RAS+ mm, shape (..., 3), to fractional voxel indices, shape (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(world_mm) @ inverse[:3, :3].T + inverse[:3, 3]


@dataclass(frozen=True)
class Volume:
    """A 3D array and its affine.

    Attributes
    ----------
    data : ndarray, shape (i, j, k)
        Intensities or labels.
    affine : ndarray, shape (4, 4)
        Voxel index -> RAS+ mm.
    """

    data: np.ndarray
    affine: np.ndarray

    @property
    def grid(self) -> Grid:
        """The voxel grid of the array."""
        return Grid(self.data.shape, self.affine)

    @property
    def spacing_mm(self) -> np.ndarray:
        """Voxel size along each array axis, shape (3,), in mm."""
        return self.grid.spacing_mm

    @property
    def axes(self) -> tuple[str, str, str]:
        """Anatomical direction in which each index grows."""
        return self.grid.axes

    def with_data(self, data: np.ndarray) -> Volume:
        """Return `data`, of the same shape, on this volume's grid."""
        return replace(self, data=data)


def reorient(volume: Volume, axes: tuple[str, str, str] = MODEL_AXES) -> Volume:
    """Flip and permute the axes to the nearest anatomical directions, without interpolation.

    Parameters
    ----------
    volume : Volume
        Any orientation.
    axes : tuple of three str
        Direction in which each index of the result grows. Default: the model grid's P, I, R.

    Returns
    -------
    Volume
        A contiguous copy; every voxel keeps its world position.

    Examples
    --------
    >>> volume = Volume(np.arange(6).reshape(1, 2, 3), np.eye(4))  # R, A, S
    >>> reorient(volume).data.shape
    (2, 3, 1)
    >>> reorient(volume).data[0, 0, 0]  # most anterior and superior
    np.int64(5)
    """
    view = turned(volume, axes)
    return view.with_data(np.ascontiguousarray(view.data))


def turned(volume: Volume, axes: tuple[str, str, str] = MODEL_AXES) -> Volume:
    """Return the same as `reorient`, but as a view of the same voxels, which takes no memory."""
    transform = ornt_transform(io_orientation(volume.affine), axcodes2ornt(axes))
    affine = volume.affine @ inv_ornt_aff(transform, volume.data.shape)
    return Volume(apply_orientation(volume.data, transform), affine)


def stored_like(volume: Volume, grid: Grid) -> Volume:
    """Undo `reorient`: return a volume in model axes with the axis order and directions of `grid`."""
    transform = ornt_transform(axcodes2ornt(MODEL_AXES), io_orientation(grid.affine))
    return Volume(np.ascontiguousarray(apply_orientation(volume.data, transform)), grid.affine)


def upright(volume: Volume) -> Volume:
    """Return the array with a simplified affine: same axes and voxel sizes (to 0.1 um), no tilt, no
    offset.

    A decision made on this grid cannot depend on the scan's tilt or on rounding in its file's
    affine.
    """
    affine = np.eye(4)
    for axis, (name, size) in enumerate(zip(volume.axes, volume.spacing_mm, strict=True)):
        affine[:3, axis] = np.array(TOWARDS[name]) * np.round(size, 4)
    return Volume(volume.data, affine)


def grid_with_spacing(grid: Grid, spacing_mm: tuple[float, float, float]) -> Grid:
    """Return a grid with the same axes and field of view and another voxel size.

    The outer voxel faces coincide at the first index. The field of view is rounded up to whole
    voxels.

    Parameters
    ----------
    grid : Grid
        The original grid.
    spacing_mm : tuple of three float
        New voxel size along each axis.

    Examples
    --------
    >>> grid_with_spacing(Grid((10, 10, 10), np.eye(4)), (2.0, 1.0, 0.5)).shape
    (5, 10, 20)
    """
    old, new = grid.spacing_mm, np.asarray(spacing_mm, float)
    extent = np.array(grid.shape) * np.round(old, 4)  # as `upright`: rounding must not add a voxel
    shape = tuple(int(n) for n in np.maximum(1, np.ceil(extent / new - 1e-3)))
    scale = new / old
    affine = grid.affine.copy()
    affine[:3, :3] = grid.affine[:3, :3] * scale
    affine[:3, 3] = grid.to_world((scale - 1) / 2)
    return Grid(shape, affine)


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


def grow_box(box: Box, margin: int | tuple[int, ...], shape: tuple[int, ...]) -> Box:
    """Widen a box by `margin` voxels (one number, or one per axis) and clip it to `shape`.

    Examples
    --------
    >>> grow_box((slice(0, 2), slice(4, 6)), 1, (5, 10))
    (slice(0, 3, None), slice(3, 7, None))
    """
    margins = np.broadcast_to(margin, len(shape))
    return tuple(
        slice(max(0, s.start - int(m)), min(n, s.stop + int(m)))
        for s, m, n in zip(box, margins, shape, strict=True)
    )


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
