"""Split two vertebral bodies that were segmented as one by a plane, as SPINEPS 2.1.3 does.

The mask is eroded until it falls apart. The plane lies where the two pieces meet when they grow
again, perpendicular to the line between them.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.spineps.components import components, structuring

MOST_EROSIONS = 10
SUPERIOR_DOWN = 1
"""The axis of (P, I, R) along which the plane's lower side is filled; its end is inferior."""


def split_body(mask: np.ndarray) -> np.ndarray | None:
    """Return the part of a mask (P, I, R) on one side of the plane, or None if it cannot be split."""
    pieces = _two_pieces(mask)
    if pieces is None:
        return None
    meeting = _meeting_point(*pieces)
    centres = [np.array(ndimage.center_of_mass(piece)) for piece in pieces]
    normal = centres[0] - centres[1]
    if meeting is None or not normal.any():
        return None
    return mask & (_sides(mask.shape, meeting, normal) == 2)


def _two_pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the two largest pieces that erosion leaves, or None if the mask vanishes in one piece.

    SPINEPS intends to split such a mask into its core and the rest, but holds both in one boolean
    array, where they are the same: it reports that the mask cannot be split, and continues.
    """
    for _ in range(MOST_EROSIONS + 1):
        mask = ndimage.binary_erosion(mask, structuring(3), border_value=0)
        numbers = components(mask)
        sizes = np.bincount(numbers.ravel())[1:]
        if len(sizes) > 1:
            largest = np.argsort(-sizes, kind="stable")[:2] + 1
            if len(sizes) == 2:
                largest = np.array([1, 2])
            return numbers == largest[0], numbers == largest[1]
        if not len(sizes):
            break
    return None


def _meeting_point(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Return the centre of the place where the two pieces meet when they grow in turns."""
    grow = structuring(3)
    first, second = ndimage.binary_dilation(first, grow), ndimage.binary_dilation(second, grow)
    turns = sum(first.shape)
    while not (first & second).any() and turns:
        turns -= 1
        first = ndimage.binary_dilation(first, grow)
        if not (first & second).any():
            second = ndimage.binary_dilation(second, grow)
    if not (first & second).any():
        return None
    return np.array(ndimage.center_of_mass(first & second))


def _sides(shape: tuple[int, ...], point: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return 1 above the plane through `point` and 2 from it downwards, filled along the superior axis.

    Columns that the plane, drawn voxel by voxel along the normal's main axis, never meets count as 2.
    """
    axis = int(np.argmax(np.abs(normal)))
    others = [a for a in range(3) if a != axis]
    grid = np.meshgrid(*(np.arange(shape[a]) for a in others), indexing="xy")
    height = point @ normal - sum(normal[a] * g for a, g in zip(others, grid, strict=True))
    height = np.clip(height / normal[axis], 0, shape[axis] - 1)
    index: list = [None, None, None]
    index[axis] = height.astype(int)
    for a, g in zip(others, grid, strict=True):
        index[a] = g
    plane = np.zeros(shape, bool)
    plane[tuple(index)] = True
    from_below = np.flip(
        np.maximum.accumulate(np.flip(plane, SUPERIOR_DOWN), SUPERIOR_DOWN), SUPERIOR_DOWN
    )
    return np.where(from_below, 1, 2).astype(np.uint8)
