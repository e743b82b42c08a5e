"""Give pieces of spinous processes that came to the wrong neighbour to the vertebra that they are attached to.

Where processes lie close, or a slab shows little of the arches, the votes may part the process of one vertebra
between two of them. The part that has the wrong number hangs on nothing of its own.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import Box
from wirbel.core.components import find_components, voxels_of
from wirbel.core.geometry import Volume
from wirbel.core.labels import SPINOUS_PROCESS, VERTEBRA_SUBREGIONS


def attach_loose_pieces(labels: Volume, instances: np.ndarray) -> np.ndarray:
    """Return instances in which no smaller piece of a spinous process touches a neighbouring vertebra alone.

    A piece moves if it is not the largest of its vertebra's process, touches (also at a corner) no other part of that
    vertebra, and touches the next vertebra above or below. The largest piece never moves: processes of neighbours
    may rest on each other.

    Parameters
    ----------
    labels : Volume
        A subregion map.
    instances : ndarray of int, shape (i, j, k)
        Instances 1 ... n from the top down on its grid.

    Returns
    -------
    ndarray, shape (i, j, k)
        A copy, of the same data type.
    """
    moved = instances.copy()
    bone = np.where(np.isin(labels.data, VERTEBRA_SUBREGIONS), instances, 0)
    process = np.where(labels.data == SPINOUS_PROCESS, instances, 0)
    pieces = find_components(labels.with_data(np.ascontiguousarray(process)))
    for number in np.unique(pieces.label):
        own = np.flatnonzero(pieces.label == number)
        for piece in np.delete(own, pieces.volume_mm3[own].argmax()).tolist():
            box = pieces.boxes[piece]
            touched = _touched(pieces.numbers, piece + 1, box, bone)
            if number not in touched and len(touched):
                owner = int(np.bincount(touched).argmax())
                if abs(owner - int(number)) == 1:
                    moved[tuple(voxels_of(pieces.numbers, piece + 1, box).T)] = owner
    return moved


def _touched(numbers: np.ndarray, piece: int, box: Box, bone: np.ndarray) -> np.ndarray:
    """Return the instances of the bone voxels around a piece, one for each voxel."""
    around = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
    inside = numbers[around] == piece
    rim = ndimage.binary_dilation(inside, np.ones((3, 3, 3), bool)) & ~inside
    found = bone[around][rim]
    return found[found > 0].astype(int)
