"""Which endplate voxels SPINEPS 2.1.3 loses when it parts upper from lower plates.

All vertebrae grow by a voxel per round. A plate voxel that one of them reaches becomes a lower plate if it carries that
vertebra's number, an upper one if it carries the number of the vertebra that grew before. With any other number it
keeps that number as a label, which is then dropped, unless a later round gets it right.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import label_boxes
from wirbel.core.geometry import grow_box
from wirbel.core.labels import ENDPLATE_OFFSET, LOWER_ENDPLATE, UPPER_ENDPLATE
from wirbel.core.spineps.components import structuring
from wirbel.core.spineps.grids import box_of

ROUNDS = 14
LARGEST_INSTANCE = 39
PARTED = (UPPER_ENDPLATE, LOWER_ENDPLATE)


def lost_endplates(plates: np.ndarray, vertebra: np.ndarray) -> np.ndarray:
    """Return which voxels of `plates` are lost; `vertebra` holds 200 + number there."""
    box = box_of(plates | (vertebra > 0))
    lost = np.zeros(plates.shape, bool)
    lost[box] = _lost(plates[box], vertebra[box])
    return lost


def _lost(plates: np.ndarray, vertebra: np.ndarray) -> np.ndarray:
    found = np.zeros(plates.shape, np.int32)
    windows = {
        number: grow_box(box, ROUNDS + 1, vertebra.shape)
        for number, box in label_boxes(vertebra).items()
        if number <= LARGEST_INSTANCE
    }
    grown = {number: vertebra[box] == number for number, box in windows.items()}
    before, known = 1, -1
    for _ in range(ROUNDS):
        count = int(np.isin(found, PARTED).sum())
        if count == plates.sum() or (count == known and count):
            break
        known = count
        for number, box in windows.items():
            grown[number] = ndimage.binary_dilation(grown[number], structuring(3))
            part, own = found[box], vertebra[box]
            reached = plates[box] & grown[number] & ~np.isin(part, PARTED)
            value = own[reached].astype(np.int32)
            lower, upper = value == number + ENDPLATE_OFFSET, value == before + ENDPLATE_OFFSET
            otherwise = np.where(lower, LOWER_ENDPLATE, value)
            part[reached] += np.where(upper, UPPER_ENDPLATE, otherwise)
            before = number
    return plates & (found != 0) & ~np.isin(found, PARTED)
