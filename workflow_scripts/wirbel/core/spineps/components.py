"""Connected components and voxel counts in the terms of SPINEPS: thresholds are voxels of its reference grid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import cc3d
import fill_voids
import numpy as np
from scipy import ndimage

from wirbel.core.boxes import label_boxes
from wirbel.core.geometry import grow_box

REFERENCE_MM = (0.75, 0.75, 1.65)
"""Voxel size at which the published thresholds were chosen."""
REFERENCE_MM3 = float(np.prod(REFERENCE_MM))
NEIGHBOURS: dict[int, Literal[6, 18, 26]] = {1: 6, 2: 18, 3: 26}
"""Reach of a neighbourhood (faces, edges, corners) -> number of neighbours."""


def voxels_of_mm3(volume_mm3: float, spacing_mm: np.ndarray) -> int:
    """Return how many voxels make up a volume: rounded, at least one."""
    return max(round(volume_mm3 / float(np.prod(spacing_mm))), 1)


def components(mask: np.ndarray, reach: int = 3) -> np.ndarray:
    """Number the connected components of a mask."""
    return cc3d.connected_components(
        np.ascontiguousarray(mask, dtype=np.uint8), connectivity=NEIGHBOURS[reach]
    )


def parts_of(numbers: np.ndarray) -> dict[int, tuple[np.ndarray, int]]:
    """Return the centre, in voxels, and the number of voxels of every number present except 0."""
    found = cc3d.statistics(np.ascontiguousarray(numbers))
    counts = found["voxel_counts"]
    return {
        number: (found["centroids"][number], int(counts[number]))
        for number in range(1, len(counts))
        if counts[number]
    }


def centres_of(numbers: np.ndarray) -> dict[int, np.ndarray]:
    """Return the centre of every number present except 0, in voxels, by number."""
    return {number: centre for number, (centre, _) in parts_of(numbers).items()}


def drop_small(data: np.ndarray, labels: Iterable[int], fewest_voxels: int) -> np.ndarray:
    """Return `data` without the components (joined by faces) of `labels` below a number of voxels."""
    out, boxes = data.copy(), label_boxes(data)
    for label in labels:
        if label not in boxes:
            continue
        box = boxes[label]
        numbers = components(data[box] == label, reach=1)
        small = np.bincount(numbers.ravel()) < fewest_voxels
        small[0] = False
        out[box][small[numbers]] = 0
    return out


def fill_holes(data: np.ndarray, labels: Iterable[int]) -> None:
    """Fill background enclosed by each of `labels` in turn, in place."""
    boxes = label_boxes(data)
    for label in labels:
        if label not in boxes:
            continue
        part = data[grow_box(boxes[label], 1, data.shape)]
        filled = fill_voids.fill(np.ascontiguousarray(part == label)) > 0
        part[filled & (part == 0)] = label


def structuring(reach: int) -> np.ndarray:
    """Return the neighbourhood as scipy's morphology takes it."""
    return ndimage.generate_binary_structure(3, reach)
