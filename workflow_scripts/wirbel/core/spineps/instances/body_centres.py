"""Find the centres of SPINEPS 2.1.3's cut-outs: eroded vertebral bodies, with merged ones split by a
plane.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.labels import BODY, BODY_BORDER, DENS, DISC, ENDPLATE
from wirbel.core.spineps.components import (
    REFERENCE_MM,
    centres_of,
    components,
    drop_small,
    parts_of,
    structuring,
)
from wirbel.core.spineps.instances.body_splits import split_body

EROSIONS = 2
SAME_HEIGHT_MM = 10 * REFERENCE_MM[1]
"""Neighbours of one kind that are closer than this count as one."""
INSPECTED = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
"""Positions in the order from top to bottom from which the size of a body is estimated."""
FEWEST_NEIGHBOURS = 2
TOO_LARGE = 1.5
DISC_NUMBERS = 100


def body_centres(data: np.ndarray, spacing_mm: np.ndarray, fewest_voxels: int) -> list[np.ndarray]:
    """Return the centres of the vertebral bodies (voxels of `data`) from the bottom up.

    Parameters
    ----------
    data : ndarray, shape (P, I, R)
        Subregion map on the instance model's grid.
    spacing_mm : ndarray, shape (3,)
        Its voxel size.
    fewest_voxels : int
        Of an eroded body.
    """
    dense = (data == BODY).any()
    bodies = data == BODY
    if not dense:
        bodies = ndimage.binary_erosion(
            data == BODY_BORDER, structuring(2), iterations=EROSIONS, border_value=0
        )
        if fewest_voxels > 0:
            bodies = drop_small(bodies.view(np.uint8), [1], fewest_voxels) > 0
    if not bodies.any():
        return []
    numbers = components(bodies).astype(np.uint32)
    _split_merged(numbers, np.isin(data, (DISC, ENDPLATE)), spacing_mm)
    centres = sorted(centres_of(numbers).values(), key=lambda centre: centre[1])
    if dense:
        centres.extend(centres_of(components(data == DENS)).values())
    return centres[::-1]


def _split_merged(numbers: np.ndarray, discs: np.ndarray, spacing_mm: np.ndarray) -> None:
    """Split, in place, bodies that are too large where two bodies follow each other without a disc."""
    discs_found = components(discs)
    order = _from_the_top(numbers, discs_found)
    for key in list(order):
        if key not in order:
            continue
        keys = list(order)
        place = keys.index(key)
        if place + 1 >= len(keys) or not discs.any():
            continue
        height, is_disc, _ = order[key]
        below, below_is_disc, _ = order[keys[place + 1]]
        if below_is_disc != is_disc:
            continue
        if abs(below - height) < SAME_HEIGHT_MM / float(spacing_mm[1]):
            order.pop(key)
            continue
        _split_largest_neighbour(numbers, order, keys, place)


def _from_the_top(numbers: np.ndarray, discs: np.ndarray) -> dict[int, tuple[float, bool, int]]:
    """Return height, whether it is a disc, and voxels of every part, in order of the heights."""
    found = {}
    for parts, offset, is_disc in ((discs, DISC_NUMBERS, True), (numbers, 0, False)):
        for number, (centre, size) in parts_of(parts).items():
            found[number + offset] = (centre[1], is_disc, size)
    return dict(sorted(found.items(), key=lambda item: item[1][0]))


def _split_largest_neighbour(numbers, order, keys, place) -> None:
    near = [keys[place + i] for i in INSPECTED if 0 <= place + i < len(keys)]
    near = [key for key in near if key < DISC_NUMBERS]
    if len(near) - 1 <= FEWEST_NEIGHBOURS:
        return
    sizes = [order[key][2] for key in near]
    largest = int(np.argmax(sizes))
    usual = (sum(sizes) - sizes[largest]) / (len(sizes) - 1)
    if sizes[largest] / usual <= TOO_LARGE:
        return
    lower = split_body(numbers == near[largest])
    if lower is not None:
        numbers[lower] = numbers.max() + 1
