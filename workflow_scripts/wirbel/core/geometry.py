"""Volumes with their affine: orientation and spacing.

Affines map voxel indices (i, j, k) to RAS+ world millimetres, as in nibabel. Nothing here depends
on how a file stores its axes: functions that need a certain order of axes take a reoriented volume.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wirbel.core.boxes import Box
from wirbel.core.preparation.nibabel_alone import orientations, voxel_sizes

MODEL_AXES = ("P", "I", "R")
"""Orientation of the model grid: indices grow towards posterior, inferior, right."""

TOWARDS = {
    "R": (1.0, 0.0, 0.0),
    "L": (-1.0, 0.0, 0.0),
    "A": (0.0, 1.0, 0.0),
    "P": (0.0, -1.0, 0.0),
    "S": (0.0, 0.0, 1.0),
    "I": (0.0, 0.0, -1.0),
}
"""Anatomical direction -> unit vector in RAS."""
THICKER = 1.1
"""Slices are so much thicker than their voxels are wide; below that, voxels count as cubes."""


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
        return orientations.aff2axcodes(self.affine)

    @property
    def across_slices(self) -> int:
        """The array axis across the slices, that of the largest spacing; of cubes the one from left to right.

        Examples
        --------
        >>> Grid((9, 9, 9), np.diag([0.9, 3.3, 0.9, 1.0])).across_slices
        1
        >>> Grid((9, 9, 9), np.diag([1.0, 1.01, 1.0, 1.0])).across_slices
        0
        """
        spacing = self.spacing_mm
        coarse = int(np.argmax(spacing))
        if spacing[coarse] >= THICKER * np.sort(spacing)[1]:
            return coarse
        return next(axis for axis, way in enumerate(self.axes) if way in "LR")

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
    transform = orientations.ornt_transform(
        orientations.io_orientation(volume.affine), orientations.axcodes2ornt(axes)
    )
    affine = volume.affine @ orientations.inv_ornt_aff(transform, volume.data.shape)
    return Volume(orientations.apply_orientation(volume.data, transform), affine)


def stored_like(volume: Volume, grid: Grid) -> Volume:
    """Undo `reorient`: return a volume in model axes with the axis order and directions of `grid`."""
    transform = orientations.ornt_transform(
        orientations.axcodes2ornt(MODEL_AXES), orientations.io_orientation(grid.affine)
    )
    return Volume(
        np.ascontiguousarray(orientations.apply_orientation(volume.data, transform)), grid.affine
    )


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
