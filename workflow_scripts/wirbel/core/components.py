"""Connected components of label maps, with volumes and centroids in millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cc3d
import numpy as np

from wirbel.core.boxes import Box
from wirbel.core.geometry import Grid, Volume


@dataclass(frozen=True)
class Components:
    """Numbered components; entry i of each list describes component i + 1 of `numbers`.

    Attributes
    ----------
    numbers : ndarray of int, shape (i, j, k)
        Component of each voxel, 0 for background.
    label : ndarray, shape (n,)
        Label of each component in the map.
    volume_mm3 : ndarray, shape (n,)
        Volumes.
    centroid_mm : ndarray, shape (n, 3)
        RAS+ world positions.
    boxes : list of n tuples of slices
        Bounding boxes.
    """

    numbers: np.ndarray
    label: np.ndarray
    volume_mm3: np.ndarray
    centroid_mm: np.ndarray
    boxes: list[Box]

    def __len__(self) -> int:
        return len(self.label)


def voxel_volume_mm3(affine: np.ndarray) -> float:
    """Return the volume of one voxel in mm3; the affine (4 x 4) may shear or flip."""
    return float(abs(np.linalg.det(affine[:3, :3])))


def find_components(volume: Volume, connectivity: Literal[6, 26] = 26) -> Components:
    """Number the connected components of every label of a map at once.

    Parameters
    ----------
    volume : Volume
        Labels; 0 is background.
    connectivity : {26, 6}
        Neighbours that connect: those that share a corner, or a face.

    Examples
    --------
    >>> labels = np.zeros((3, 3, 5), np.uint8)
    >>> labels[1, 1, 0], labels[1, 1, 2:4] = 7, 7
    >>> found = find_components(Volume(labels, np.diag([2.0, 1.0, 1.0, 1.0])))
    >>> found.label.tolist(), found.volume_mm3.tolist(), found.centroid_mm.tolist()
    ([7, 7], [2.0, 4.0], [[2.0, 1.0, 0.0], [2.0, 1.0, 2.5]])
    """
    numbers = cc3d.connected_components(
        np.ascontiguousarray(volume.data), connectivity=connectivity
    )
    found = cc3d.statistics(numbers)
    count = int(numbers.max(initial=0))
    boxes = found["bounding_boxes"][1 : count + 1]
    centroids = found["centroids"][1 : count + 1]
    return Components(
        numbers,
        np.array([_first_value(volume.data, numbers, box, i + 1) for i, box in enumerate(boxes)]),
        found["voxel_counts"][1 : count + 1] * voxel_volume_mm3(volume.affine),
        volume.grid.to_world(centroids) if count else np.zeros((0, 3)),
        list(boxes),
    )


def voxels_of(numbers: np.ndarray, number: int, box: Box) -> np.ndarray:
    """Return the indices of one component's voxels, shape (m, 3)."""
    return np.argwhere(numbers[box] == number) + [s.start for s in box]


def touching_share(numbers: np.ndarray, count: int, region: np.ndarray) -> np.ndarray:
    """Return the fraction of each component's outer voxel faces that touch other components in
    `region`.

    Faces at the array's edge do not count.

    Parameters
    ----------
    numbers : ndarray of int, shape (i, j, k)
        Component of each voxel, 0 for background.
    count : int
        Number of components.
    region : ndarray of bool, shape (i, j, k)
        Where contact counts; contains the components themselves.

    Returns
    -------
    ndarray, shape (count,)
        Fractions from 0 to 1.
    """
    touching, outer = np.zeros(count + 1), np.zeros(count + 1)
    for axis in range(3):
        low = tuple(slice(0, -1) if k == axis else slice(None) for k in range(3))
        high = tuple(slice(1, None) if k == axis else slice(None) for k in range(3))
        boundary = numbers[low] != numbers[high]
        both = region[low][boundary] & region[high][boundary]
        for side in (numbers[low][boundary], numbers[high][boundary]):
            outer += np.bincount(side, minlength=count + 1)
            touching += np.bincount(side[both], minlength=count + 1)
    return (touching / np.maximum(outer, 1))[1:]


def room_mm(grid: Grid, point_mm: np.ndarray, direction: np.ndarray) -> float:
    """Return the distance from a world point along a unit direction to the edge of the field of view,
    in mm.
    """
    start = grid.to_index(point_mm)
    step = grid.to_index(np.asarray(point_mm) + direction) - start
    far_side = np.where(step > 0, np.array(grid.shape) - 0.5, -0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(np.abs(step) > 1e-9, (far_side - start) / step, np.inf)
    return float(max(reach.min(), 0.0))


def _first_value(data, numbers, box, number):
    # One run along the last axis of the box's first plane always holds a voxel of the component.
    plane = (box[0].start, box[1], box[2])
    return data[plane][numbers[plane] == number][0]
