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
from wirbel.core.labels import BODY_LABELS, SACRUM, SPINOUS_PROCESS, VERTEBRA_SUBREGIONS

LEVEL_BELOW = 0.5
"""Arches and processes this far below those of a vertebra, as a part of the distance of the two bodies, are the next
one's own. Of 21 real lumbar scans (SPIDER) that of L5 lies 0.51 to 0.89 below that of L4 in 18 of 19 that have one, and
further pieces called L4's lie at 0.09 and higher up, or at 0.52 to 0.83; the value was set with some of these scans.
"""


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


def return_lowest_process(labels: Volume, instances: np.ndarray) -> np.ndarray:
    """Return instances in which the lowest vertebra has the spinous process that was called the next one's above it.

    The process of the vertebra above a sacrum is the smallest of the lumbar ones, and hangs on nothing in slabs that
    do not show its arch whole. What moves is a connected piece of arch and processes that holds a spinous process,
    touches no other part of its vertebra and lies a level below the largest such piece (`LEVEL_BELOW`), if the sacrum
    is in view and the lowest vertebra has no spinous process.

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
    moved, lowest = instances.copy(), int(instances.max(initial=0))
    process = labels.data == SPINOUS_PROCESS
    above = instances == lowest - 1
    bare = (labels.data == SACRUM).any() and not (process & (instances == lowest)).any()
    if lowest < 2 or not bare or not (process & above).any():
        return moved
    bone = np.isin(labels.data, VERTEBRA_SUBREGIONS)
    body = np.isin(labels.data, BODY_LABELS)
    behind = (bone & ~body & above).astype(np.uint8)
    middles = [np.argwhere(body & (instances == n)) for n in (lowest - 1, lowest)]
    if not all(len(found) for found in middles):
        return moved
    way_mm = labels.affine[:3, :3] @ (middles[1].mean(0) - middles[0].mean(0))
    numbered_bone = np.where(bone, instances, 0)
    pieces = find_components(labels.with_data(behind))
    largest = int(pieces.volume_mm3.argmax())
    for piece in range(len(pieces)):
        voxels = tuple(voxels_of(pieces.numbers, piece + 1, pieces.boxes[piece]).T)
        offset_mm = pieces.centroid_mm[piece] - pieces.centroid_mm[largest]
        if not process[voxels].any() or offset_mm @ way_mm < LEVEL_BELOW * (way_mm @ way_mm):
            continue
        touched = _touched(pieces.numbers, piece + 1, pieces.boxes[piece], numbered_bone)
        if lowest - 1 not in touched:
            moved[voxels] = lowest
    return moved
