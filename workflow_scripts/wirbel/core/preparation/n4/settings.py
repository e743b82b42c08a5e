"""What an N4 fit is asked to do, and what every way of computing it has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

SPLINE_ORDER = 3


@dataclass(frozen=True)
class FitSettings:
    """`spans`: pieces of the spline along each axis at the first level; they double from level to level.

    `iterations`: the most of each level. A level ends sooner when the field changes by less than `tolerance`
    (coefficient of variation of the ratio of two successive fields inside the mask).
    """

    spans: tuple[int, int, int]
    iterations: tuple[int, ...]
    tolerance: float


Part = tuple[slice, ...]
"""A part of a grid: one slice along each axis."""


class LogField(Protocol):
    """Returns the logarithm of the bias field on a grid of `shape` whose corner voxels coincide with those of `image`.

    With `part`, only that part of the grid.
    """

    def __call__(
        self,
        image: np.ndarray,
        mask: np.ndarray,
        settings: FitSettings,
        shape: tuple[int, ...],
        part: Part | None = None,
    ) -> np.ndarray: ...


def checked_logarithms(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the image's logarithms (float32); voxels of 0 stay 0, as in ITK.

    Raises ValueError where the mask is empty or the intensities in it are not numbers of at least 0.
    """
    if image.shape != mask.shape:
        raise ValueError(f"N4: image of {image.shape} and mask of {mask.shape} voxels do not fit")
    if not mask.any():
        raise ValueError("N4: no voxel lies in the mask")
    inside = image[mask]
    if not (np.isfinite(inside).all() and inside.min() >= 0):
        raise ValueError("N4 takes logarithms: intensities must be finite and at least 0")
    return np.log(image, where=mask & (image > 0), out=np.zeros(image.shape, np.float32))
