"""N4's iterations: sharpen the histogram, smooth what that changed into the field, take the field out, again."""

from __future__ import annotations

import numpy as np

from wirbel.core.preparation.n4.bspline import Approximation, evaluate, refined
from wirbel.core.preparation.n4.settings import (
    SPLINE_ORDER,
    FitSettings,
    Part,
    checked_logarithms,
)
from wirbel.core.preparation.n4.sharpening import sharpened
from wirbel.core.separable import applied


def log_field(
    image: np.ndarray,
    mask: np.ndarray,
    settings: FitSettings,
    shape: tuple[int, ...],
    part: Part | None = None,
) -> np.ndarray:
    """Return the logarithm of the bias field (float32) on `part` of a grid of `shape` over the image's extent.

    `image` (three axes, at least 0) is fitted at the voxels of `mask` (bool, same shape). The field is that of ITK's
    filter (Tustison et al., IEEE TMI 2010;29:1310), whose conventions are kept to the voxel. The number of threads
    changes nothing. Raises ValueError where there is nothing to fit.

    Parameters
    ----------
    image : numpy.ndarray
        Three axes, at least 0.
    mask : numpy.ndarray
        bool, same shape.
    settings : FitSettings
        Pieces of the spline, iterations, tolerance.
    shape : tuple of int
        Grid of the result, whose corner voxels coincide with the image's.
    part : tuple of slice, optional
        Only that part of the grid.

    Returns
    -------
    numpy.ndarray
        float32.
    """
    # turned round: ITK stores the first axis fastest, and its histogram's limits depend on the order of voxels
    logarithms, mask = (
        np.ascontiguousarray(a.T) for a in (checked_logarithms(image, mask), mask.astype(bool))
    )
    lattice = np.zeros([spans + SPLINE_ORDER for spans in reversed(settings.spans)])
    for level, iterations in enumerate(settings.iterations):
        if level:
            lattice = refined(lattice)
        lattice = _level(logarithms, mask, lattice, iterations, settings.tolerance)
    return evaluate(lattice.T, shape, part)


def _level(logarithms, mask, lattice, iterations, tolerance):
    """Return the lattice after a level's iterations."""
    approximation = Approximation(mask, lattice.shape)
    inside, residual = logarithms[mask], np.zeros(mask.shape, np.float32)
    field = applied(approximation.bases, lattice.astype(np.float32))[mask]
    for _ in range(iterations):
        uncorrected = inside - field
        residual[mask] = uncorrected - sharpened(uncorrected)
        lattice = lattice + approximation.fit(residual)
        before, field = field, applied(approximation.bases, lattice.astype(np.float32))[mask]
        if change(before, field) <= tolerance:
            break
    return lattice


def change(before: np.ndarray, after: np.ndarray) -> float:
    """Return the coefficient of variation of the ratio of two fields, given as logarithms."""
    ratio = np.exp(before - after)
    if ratio.size < 2:
        return 0.0
    return float(ratio.std(ddof=1, dtype=np.float64) / ratio.mean(dtype=np.float64))
