"""Cubic B-splines over a regular grid, as products of one banded matrix per axis.

A lattice of control points (`spans` + 3 along each axis) spans an array; its first and last voxels are the ends of the
first and last span. The matrices are stored sparsely (four values a row), and their products add up in a fixed order:
no number of threads changes a bit.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from wirbel.core.preparation.n4.settings import Part
from wirbel.core.separable import applied, cubic_basis

END = 1e-3
"""The last voxel is taken so many voxels before the end of the last span, to which it would not belong. ITK's value."""
TOUCHED = 0.1 * np.finfo(np.float32).eps
"""Control points with no more weight than this are left at 0. ITK's value."""
ROWS_FIRST = (0, 2, 1)
"""Sums over voxels begin along the first axis, where the data need not be turned."""


def basis(size: int, spans: int) -> sparse.csr_array:
    """Return the matrix (`size` x `spans` + 3, float32) from control points to the voxels of one axis."""
    step = spans / max(size - 1, 1)
    position = np.minimum(np.arange(size) * step, spans - END * step)
    return cubic_basis(position, spans + 3).astype(np.float32)


def evaluate(lattice: np.ndarray, shape: tuple[int, ...], part: Part | None = None) -> np.ndarray:
    """Return the spline (float32) on an array of `shape`, or on a part of it: there it is the same to the bit."""
    bases = _bases(shape, lattice.shape)
    if part is not None:
        bases = [b[kept] for b, kept in zip(bases, part, strict=True)]
    return applied(bases, lattice.astype(np.float32))


class Approximation:
    """Fits a lattice to values at the voxels of `mask` (Lee et al., IEEE TVCG 1997;3:228, equations 3 to 5).

    A voxel proposes phi = value x B / sum(B^2) for each of its 64 control points with weight B; a control point takes
    the mean of its voxels' proposals, weighted by B^2. Both sums over voxels are products, as B has one factor per
    axis.
    """

    def __init__(self, mask: np.ndarray, lattice_shape: tuple[int, ...]) -> None:
        self.bases = _bases(mask.shape, lattice_shape)
        squares = [b.power(2) for b in self.bases]
        self._proposals = [
            (b.power(3) / s.sum(axis=1)[:, None]).T.tocsr()
            for b, s in zip(self.bases, squares, strict=True)
        ]
        weight = applied([s.T.tocsr() for s in squares], mask.astype(np.float64), ROWS_FIRST)
        touched = weight > TOUCHED
        self._share = np.where(touched, 1 / np.where(touched, weight, 1), 0)

    def fit(self, values: np.ndarray) -> np.ndarray:
        """Return the lattice (float64) for `values`, which are 0 outside the mask."""
        return applied(self._proposals, values, ROWS_FIRST) * self._share


def refined(lattice: np.ndarray) -> np.ndarray:
    """Return the same spline on twice as many spans along every axis."""
    return applied([_refinement(n) for n in lattice.shape], lattice)


def _bases(shape, lattice_shape):
    return [basis(n, points - 3) for n, points in zip(shape, lattice_shape, strict=True)]


def _refinement(points: int) -> sparse.csr_array:
    """Return the matrix (2 `points` - 3 x `points`) that inserts a knot in the middle of every span."""
    matrix = np.zeros((2 * points - 3, points))
    for i in range(points - 1):
        matrix[2 * i, i : i + 2] = 1 / 2, 1 / 2
    for i in range(points - 2):
        matrix[2 * i + 1, i : i + 3] = 1 / 8, 6 / 8, 1 / 8
    return sparse.csr_array(matrix)
