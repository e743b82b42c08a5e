"""A vertebra's or disc's own axes, and the voxels of one structure as points in the world.

All lengths are world millimetres; directions are unit vectors in RAS+. Nothing here assumes that a
structure lies along the axes of the array, or that the array is stored in a certain order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import Box
from wirbel.core.geometry import Grid, Volume

PADDING = 2
"""Voxels of background put around a mask before it is blurred."""
BORDER_MM = 1.5
"""A structure that ends so near to the border of the scan is cut off by it: networks and resampling leave the outermost
pixels empty. Of slices it is the outermost alone."""
ROUNDING_MM = 1e-6
FEW_SLICES, NARROW = 3, 0.5
"""So few slices, narrower than this part of the largest extent, are a part of a structure: all are wider than that."""


@dataclass(frozen=True)
class Frame:
    """Right-handed axes of one structure: rows of `axes` point right, anterior and superior."""

    origin_mm: np.ndarray
    axes: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Unit vector towards the right of the structure."""
        return self.axes[0]

    @property
    def anterior(self) -> np.ndarray:
        """Unit vector towards the front of the structure."""
        return self.axes[1]

    @property
    def superior(self) -> np.ndarray:
        """Unit vector towards the top of the structure."""
        return self.axes[2]

    def to_local(self, points_mm: np.ndarray) -> np.ndarray:
        """Map world mm, (3,) or (n, 3), to (right, anterior, superior) mm from the origin."""
        return (points_mm - self.origin_mm) @ self.axes.T

    def to_world(self, local_mm: np.ndarray) -> np.ndarray:
        """Map (right, anterior, superior) mm from the origin, (3,) or (n, 3), to world mm."""
        return self.origin_mm + local_mm @ self.axes


def make_frame(
    origin_mm: np.ndarray, superior: np.ndarray, posterior_reference_mm: np.ndarray
) -> Frame:
    """Return the frame whose mid-sagittal plane holds `superior` and the posterior reference point.

    Raises ValueError when the reference lies straight above or below the origin.
    """
    superior = superior / np.linalg.norm(superior)
    anterior = np.asarray(origin_mm) - posterior_reference_mm
    anterior = anterior - (anterior @ superior) * superior
    length = np.linalg.norm(anterior)
    if length < 1e-6:
        raise ValueError("the posterior reference lies on the structure's own axis")
    anterior = anterior / length
    axes = np.stack([np.cross(anterior, superior), anterior, superior])
    return Frame(np.asarray(origin_mm, float), axes)


class KeptByAxis(dict[int, tuple[np.ndarray, np.ndarray]]):
    """What `find` returns for an array axis, at its lower and at its upper end: computed when it is first asked for."""

    def __init__(self, find: Callable[[int], tuple[np.ndarray, np.ndarray]]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, axis: int) -> tuple[np.ndarray, np.ndarray]:
        self[axis] = self._find(axis)
        return self[axis]


@dataclass(frozen=True)
class Region:
    """One structure: a boolean mask cut to its box, and the grid of that box.

    `start` is the index of the box's first voxel in the scan, `full_shape` the scan's shape.
    """

    mask: np.ndarray
    grid: Grid
    start: tuple[int, int, int]
    full_shape: tuple[int, int, int]

    @property
    def box(self) -> Box:
        """Where the mask lies in the scan."""
        return tuple(slice(a, a + n) for a, n in zip(self.start, self.mask.shape, strict=True))

    @cached_property
    def touches_border(self) -> bool:
        """Whether a voxel lies in an outermost layer of the scan: part of the structure may be out of view."""
        return bool(self.border_voxels(np.argwhere(self.mask)).any())

    def border_voxels(self, index: np.ndarray) -> np.ndarray:
        """Return which voxels (indices within the box, (n, 3)) lie in an outermost layer of the scan."""
        return np.asarray(self.border_sides(index).any((1, 2)))

    def border_sides(self, index: np.ndarray) -> np.ndarray:
        """Return at which ends of which array axis (n, 3, 2) voxels lie in an outermost layer of the scan."""
        at, last = index + self.start, np.array(self.full_shape) - 1
        return np.stack([at < self.border_layers, at > last - self.border_layers], axis=2)

    @property
    def border_layers(self) -> np.ndarray:
        """Number of layers along each axis that count as outermost."""
        return np.maximum(1, np.ceil(BORDER_MM / self.grid.spacing_mm - 1e-3).astype(int))

    @cached_property
    def points_mm(self) -> np.ndarray:
        """World mm of the centres of all voxels inside (n, 3)."""
        return self.grid.to_world(np.argwhere(self.mask))

    @property
    def volume_mm3(self) -> float:
        """Number of voxels times the volume of one."""
        return float(self.mask.sum()) * abs(float(np.linalg.det(self.grid.affine[:3, :3])))

    @cached_property
    def centroid_mm(self) -> np.ndarray:
        """Mean position in world mm (3,)."""
        return self.points_mm.mean(0)

    def ends(self, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return surface points (n, 3) in world mm where columns of voxels leave the structure.

        The columns run along the array axis that samples `direction` most finely. The first array
        holds the ends that lie towards `direction`, the second those on the other side. A surface
        point is half-way between the last voxel inside and the first outside: without bias for a
        surface that lies anywhere between the two.
        """
        axis, forwards = self._columns_along(direction)
        low, high = self._ends[axis]
        return (high, low) if forwards else (low, high)

    def end_normals(self, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the unit outward normals (n, 3) at both kinds of `ends`."""
        axis, forwards = self._columns_along(direction)
        low, high = self._end_normals[axis]
        return (high, low) if forwards else (low, high)

    def _columns_along(self, direction: np.ndarray) -> tuple[int, bool]:
        """Return the array axis that samples a direction most finely, and whether its indices grow that way."""
        cosine = direction @ (self.grid.affine[:3, :3] / self.grid.spacing_mm)
        axis = int(np.argmax(np.abs(cosine) / self.grid.spacing_mm))
        return axis, bool(cosine[axis] > 0)

    @cached_property
    def _ends(self) -> KeptByAxis:
        return KeptByAxis(self._ends_along)

    @cached_property
    def _end_normals(self) -> KeptByAxis:
        def normals(axis: int) -> tuple[np.ndarray, np.ndarray]:
            low, high = self._ends[axis]
            return self.outward_normals(low), self.outward_normals(high)

        return KeptByAxis(normals)

    def _ends_along(self, axis: int) -> tuple[np.ndarray, np.ndarray]:
        mask = np.moveaxis(self.mask, axis, 0)
        columns = np.argwhere(mask.any(0))
        inside = mask[:, columns[:, 0], columns[:, 1]]
        first = inside.argmax(0) - 0.5
        last = len(mask) - inside[::-1].argmax(0) - 0.5
        low, high = (
            self.grid.to_world(np.insert(columns.astype(float), axis, at, axis=1))
            for at in (first, last)
        )
        return low, high

    def outward_normals(self, points_mm: np.ndarray) -> np.ndarray:
        """Return the unit outward normal (n, 3) of the surface near each point.

        It is the direction in which the mask, blurred by one voxel, falls off most steeply.
        """
        at = self.grid.to_index(points_mm).T + PADDING
        in_voxels = [
            ndimage.map_coordinates(g, at, order=1, mode="nearest") for g in self._gradient
        ]
        normals = -np.stack(in_voxels, axis=1) @ np.linalg.inv(self.grid.affine[:3, :3])
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)

    @property
    def _continued(self) -> np.ndarray:
        """The mask; a structure that few slices show goes on beyond them, whose ends are no surfaces."""
        across = int(np.argmax(self.grid.spacing_mm))
        seen = [np.flatnonzero(self.mask.any(tuple({0, 1, 2} - {k}))) for k in range(3)]
        extent = np.array([np.ptp(s) + 1 for s in seen]) * self.grid.spacing_mm
        first, last = seen[across][[0, -1]]
        if last - first >= FEW_SLICES or extent[across] > NARROW * extent.max():
            return self.mask
        number = np.clip(np.arange(-PADDING, self.mask.shape[across] + PADDING), first, last)
        return self.mask.take(number, across)

    @cached_property
    def _gradient(self) -> list[np.ndarray]:
        inside = self._continued.astype(np.float32)
        missing = np.array(self.mask.shape) + 2 * PADDING - inside.shape
        padded = np.pad(inside, [(n // 2, n // 2) for n in missing])
        return np.gradient(ndimage.gaussian_filter(padded, 1.0, mode="constant", truncate=3.0))


def voxels_between(
    region: Region, frame: Frame, low_mm: Sequence[float], high_mm: Sequence[float], beyond: int = 0
) -> np.ndarray:
    """Return the indices (n, 3) of all voxels of a region's box between two corners of a frame, and of few others.

    Parameters
    ----------
    region : Region
        Its box counts, not its mask.
    frame : Frame
        Axes of the corners.
    low_mm, high_mm : sequence of three float
        The corners: right, anterior and superior mm, or infinite.
    beyond : int
        So many voxels around the box count as well.
    """
    steps = frame.axes @ region.grid.affine[:3, :3]
    first = frame.axes @ (region.grid.affine[:3, 3] - frame.origin_mm)
    index = np.ogrid[tuple(slice(-beyond, n + beyond) for n in region.mask.shape)]
    near = np.ones([n + 2 * beyond for n in region.mask.shape], bool)
    for step, at, low, high in zip(steps, first, low_mm, high_mm, strict=True):
        if np.isfinite(low) or np.isfinite(high):
            local = step[0] * index[0] + (step[1] * index[1] + at) + step[2] * index[2]
            near &= (local > low - ROUNDING_MM) & (local < high + ROUNDING_MM)
    return np.argwhere(near) - beyond


def region_of_mask(mask: np.ndarray, box: tuple[slice, ...], volume: Volume) -> Region:
    """Return the region of `mask`, a boolean array cut from `volume` at `box`."""
    start = tuple(s.start for s in box)
    affine = volume.affine.copy()
    affine[:3, 3] = volume.grid.to_world(np.array(start))
    return Region(mask, Grid(mask.shape, affine), start, volume.data.shape)
