"""Volumes with their affine: orientation, spacing and resampling.

Affines map voxel indices (i, j, k) to RAS+ world millimetres, as in nibabel. Nothing here depends on
how a file stores its axes: functions that need an order of axes take a reoriented volume.
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

from wirbel.core.slabs import slabs

MODEL_AXES = ("P", "I", "R")
"""Orientation of the model grid: indices grow towards posterior, inferior, right."""

TIE_BREAK_VOXELS = np.array([1.0e-3, 1.3e-3, 1.7e-3])
"""Shift with which labels are sampled: a position half-way between two of them always goes to the same
side, whatever the rounding in an affine. What one face gains the opposite face loses."""
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
    """A voxel lattice: `shape` (three ints) and `affine` (4 x 4, voxel -> RAS+ mm)."""

    shape: tuple[int, int, int]
    affine: np.ndarray

    @property
    def spacing_mm(self) -> np.ndarray:
        """Voxel size along each array axis in mm."""
        return voxel_sizes(self.affine)

    @property
    def axes(self) -> tuple[str, str, str]:
        """Anatomical direction towards which each index grows, such as ("P", "I", "R")."""
        return aff2axcodes(self.affine)

    def to_world(self, index: np.ndarray) -> np.ndarray:
        """Map voxel indices (..., 3) to world mm (..., 3)."""
        return np.asarray(index) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, world_mm: np.ndarray) -> np.ndarray:
        """Map world mm (..., 3) to fractional voxel indices (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(world_mm) @ inverse[:3, :3].T + inverse[:3, 3]


@dataclass(frozen=True)
class Volume:
    """A 3D array and its affine (4 x 4, voxel -> RAS+ mm)."""

    data: np.ndarray
    affine: np.ndarray

    @property
    def grid(self) -> Grid:
        """The lattice the array is sampled on."""
        return Grid(self.data.shape, self.affine)

    @property
    def spacing_mm(self) -> np.ndarray:
        """Voxel size along each array axis in mm."""
        return self.grid.spacing_mm

    @property
    def axes(self) -> tuple[str, str, str]:
        """Anatomical direction towards which each index grows."""
        return self.grid.axes

    def with_data(self, data: np.ndarray) -> Volume:
        """Return `data` (same shape) on this volume's grid."""
        return replace(self, data=data)


def reorient(volume: Volume, axes: tuple[str, str, str] = MODEL_AXES) -> Volume:
    """Flip and permute the axes to the nearest anatomical directions; no interpolation."""
    view = turned(volume, axes)
    return view.with_data(np.ascontiguousarray(view.data))


def turned(volume: Volume, axes: tuple[str, str, str] = MODEL_AXES) -> Volume:
    """Like `reorient`, but return a view of the same voxels, which takes no memory."""
    transform = ornt_transform(io_orientation(volume.affine), axcodes2ornt(axes))
    affine = volume.affine @ inv_ornt_aff(transform, volume.data.shape)
    return Volume(apply_orientation(volume.data, transform), affine)


def stored_like(volume: Volume, grid: Grid) -> Volume:
    """Undo `reorient`: return the array of a volume with model axes in the storage order of `grid`."""
    transform = ornt_transform(axcodes2ornt(MODEL_AXES), io_orientation(grid.affine))
    return Volume(np.ascontiguousarray(apply_orientation(volume.data, transform)), grid.affine)


def upright(volume: Volume) -> Volume:
    """Return the array in a frame of its own: same axes and voxel size (to 0.1 um), no tilt, no offset.

    What is decided here cannot depend on a scan's obliqueness or on rounding in the affine of its file.
    """
    affine = np.eye(4)
    for axis, (name, size) in enumerate(zip(volume.axes, volume.spacing_mm, strict=True)):
        affine[:3, axis] = np.array(TOWARDS[name]) * np.round(size, 4)
    return Volume(volume.data, affine)


def grid_with_spacing(grid: Grid, spacing_mm: tuple[float, float, float]) -> Grid:
    """Return the grid along the same axes, over the same field of view, with another voxel size.

    The outer voxel faces coincide at the first index; the field of view is rounded up to whole voxels.
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
    """Return a label map on the grid with voxels of `spacing_mm`; unchanged where these are its own."""
    if np.allclose(labels.spacing_mm, spacing_mm, atol=1e-3):
        return labels
    return resample_labels(labels, grid_with_spacing(labels.grid, spacing_mm))


def index_map(source: Grid, target: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return (matrix, offset) such that source_index = matrix @ target_index + offset."""
    combined = np.linalg.inv(source.affine) @ target.affine
    combined[np.abs(combined) < 1e-9] = 0.0
    return combined[:3, :3], combined[:3, 3]


def resample_image(volume: Volume, target: Grid) -> Volume:
    """Resample intensities to `target` by cubic splines (float32), blurred first where voxels grow.

    The blur (Gaussian, standard deviation in source voxels sqrt(scale^2 - 1) / 2.355) lets a voxel of
    the target collect its own width, so that reducing an image does not alias. Outside the source's
    field of view the nearest voxel is repeated. Large volumes are taken slab by slab (`wirbel.core.slabs`).
    """
    matrix, offset = index_map(volume.grid, target)
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
    """Resample a label map to `target`: each label interpolated linearly, the strongest wins.

    Unlike the nearest neighbour this keeps surfaces smooth and volumes unbiased when voxel sizes
    differ. Works label by label inside its own bounding box.
    """
    matrix, offset = index_map(volume.grid, target)
    offset = offset + TIE_BREAK_VOXELS
    inverse = np.linalg.inv(matrix)
    out = np.zeros(target.shape, volume.data.dtype)
    best = np.zeros(target.shape, np.float32)
    total = np.zeros(target.shape, np.float32)
    for label, box in labelled_boxes(volume.data):
        window = _image_of_box(box, inverse, offset, target.shape)
        if window is None:
            continue
        mask = _padded_mask(volume.data, label, box)
        start = np.array([s.start for s in box]) - 1
        shift = matrix @ np.array([s.start for s in window]) + offset - start
        size = tuple(s.stop - s.start for s in window)
        weight = _transform(mask, matrix, shift, size, order=1, outside=0.0)
        stronger = weight > best[window] + 1e-6
        out[window][stronger] = label
        best[window][stronger] = weight[stronger]
        total[window] += weight
    out[best < 1 - total] = 0
    return Volume(out, target.affine)


def labelled_boxes(labels: np.ndarray) -> list[tuple[int, tuple[slice, slice, slice]]]:
    """Return (label, bounding box) for every label present, in ascending order, background left out."""
    values = np.unique(labels)
    values = values[values != 0]
    compact = np.searchsorted(values, labels).astype(np.int32) + 1
    compact[labels == 0] = 0
    return [(int(v), box) for v, box in zip(values, ndimage.find_objects(compact), strict=True)]


def grow_box(
    box: tuple[slice, ...], margin: int | tuple[int, ...], shape: tuple[int, ...]
) -> tuple[slice, ...]:
    """Widen a box by `margin` voxels (one number, or one per axis) and clip it to `shape`."""
    margins = np.broadcast_to(margin, len(shape))
    return tuple(
        slice(max(0, s.start - int(m)), min(n, s.stop + int(m)))
        for s, m, n in zip(box, margins, shape, strict=True)
    )


def _transform(data, matrix, offset, shape, *, order, outside=None):
    if np.allclose(matrix, np.diag(np.diag(matrix))):
        matrix = np.diag(matrix).copy()  # scipy's separable path, several times quicker
    mode = {"mode": "nearest"} if outside is None else {"mode": "constant", "cval": outside}
    return ndimage.affine_transform(
        data, matrix, offset, output_shape=shape, order=order, output=np.float32, **mode
    )


def _padded_mask(labels, label, box):
    """Return the label's mask in its box plus one voxel around; the outermost layer repeats outside."""
    wide = grow_box(box, 1, labels.shape)
    missing = [
        (w.start - (b.start - 1), (b.stop + 1) - w.stop) for w, b in zip(wide, box, strict=True)
    ]
    return np.pad((labels[wide] == label).astype(np.float32), missing, mode="edge")


def _image_of_box(box, inverse, offset, shape):
    """Return the target box that can receive anything from a source box, or None."""
    corners = np.array(np.meshgrid(*[(s.start - 1, s.stop) for s in box], indexing="ij"))
    mapped = (corners.reshape(3, -1).T - offset) @ inverse.T
    low = np.maximum(np.floor(mapped.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(mapped.max(0)).astype(int) + 1, shape)
    if (low >= high).any():
        return None
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
