"""Is this an image? Not a blank one, not a label map, not one without numbers."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from wirbel.core.voxel_values import clean, pieces
from wirbel.errors import ScanError

FEWEST_DISTINCT_VALUES = 8
"""An image with fewer grey values is a mask or a label map."""
SMALLEST_VARYING_SHARE = 0.001
"""Share of the voxels that must differ from the commonest value: else the image is blank."""
THINNING = 100
"""Of so many voxels one is looked at for the commonest value; see `commonest`."""


def checked_intensities(data: np.ndarray, name: str) -> np.ndarray:
    """Return `data` as `clean` leaves it; refuses what holds no number, a blank image, and a label map."""
    remedy = "look at the image; export it again or leave it out"
    data, replaced = clean(data)
    if replaced is not None and replaced.all():
        _refuse(name, "finite intensities", "NaN or infinity only", remedy)
    common, share = commonest(data)
    if 1 - share < SMALLEST_VARYING_SHARE:
        _refuse(
            name,
            "an image",
            f"the intensity {common:g} in {100 * share:.4g} % of the voxels",
            remedy,
        )
    distinct = few_distinct(data)
    if distinct:
        _refuse(
            name,
            "an image of many grey values",
            f"{distinct} distinct values, as in a mask or label map",
            "give the T2w image itself",
        )
    return data


def commonest(data: np.ndarray) -> tuple[float, float]:
    """Return the value of a blank image and its share of the voxels.

    A value that fills 99.9 % of the voxels fills more than half of every set of one in a hundred, whichever those
    are, and so is their median.
    """
    some = data.reshape(-1)[::THINNING]
    value = np.partition(some, some.size // 2)[some.size // 2]
    return float(value), sum(int((piece == value).sum()) for piece in pieces(data)) / data.size


def few_distinct(data: np.ndarray) -> int:
    """Return how many distinct values there are, 0 where they are enough for an image."""
    found: set = set()
    for piece in pieces(data):
        found.update(np.unique(piece)[:FEWEST_DISTINCT_VALUES].tolist())
        if len(found) >= FEWEST_DISTINCT_VALUES:
            return 0
    return len(found)


def _refuse(name: str, expected: str, found: str, remedy: str) -> NoReturn:
    raise ScanError("bad_intensities", f"{name}: expected {expected}, found {found}; {remedy}.")
