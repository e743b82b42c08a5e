"""Check that an array is an image: not blank, not a label map, not without finite numbers."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from wirbel.core.preparation.voxel_values import clean, pieces
from wirbel.errors import ScanError

FEWEST_DISTINCT_VALUES = 8
"""An image with fewer grey values is a mask or a label map."""
SMALLEST_VARYING_SHARE = 0.001
"""If a smaller fraction of the voxels differs from the commonest value, the image is blank."""
THINNING = 100
"""One voxel in this many is used to find the commonest value."""


def checked_intensities(data: np.ndarray, name: str) -> np.ndarray:
    """Return the intensities as `voxel_values.clean` leaves them.

    Parameters
    ----------
    data : ndarray
        Intensities, any shape.
    name : str
        The file name, for messages.

    Raises
    ------
    ScanError
        "bad_intensities" for an array without finite numbers, a blank image or a label map.
    """
    remedy = "look at the image, then export it again or exclude it"
    data, replaced = clean(data)
    if replaced is not None and replaced.all():
        _refuse(name, "finite intensities", "only NaN or infinity", remedy)
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
    """Return the median of some voxels and its fraction of all voxels: the value of a blank image, if
    it is one.
    """
    # A value in 99.9 % of the voxels fills more than half of any hundredth of them, and so is their median.
    some = data.reshape(-1)[::THINNING]
    value = np.partition(some, some.size // 2)[some.size // 2]
    return float(value), sum(int((piece == value).sum()) for piece in pieces(data)) / data.size


def few_distinct(data: np.ndarray) -> int:
    """Return the number of distinct values, or 0 if there are enough for an image."""
    found: set = set()
    for piece in pieces(data):
        found.update(np.unique(piece)[:FEWEST_DISTINCT_VALUES].tolist())
        if len(found) >= FEWEST_DISTINCT_VALUES:
            return 0
    return len(found)


def _refuse(name: str, expected: str, found: str, remedy: str) -> NoReturn:
    raise ScanError("bad_intensities", f"{name}: expected {expected}, found {found}; {remedy}.")
