"""Resampling between grids along the same axes, one axis at a time; scipy's results in a fraction of its time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage, sparse

SAME_VOXEL = 1e-9
"""Axes that stray by less than this many voxels over the whole grid are the same: rounding in an affine."""
BORDER = 12
"""Voxels by which the border is repeated before splines are fitted, as `scipy.ndimage` does it."""


def along_axes(matrix: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Return whether a matrix (3 x 3, target index -> source index) maps each axis of `shape` to the same axis."""
    return bool(_strays(matrix, shape).max() < SAME_VOXEL)


def _strays(matrix: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return by how many source voxels, along each axis, the other axes move a position at most."""
    return np.abs(matrix - np.diag(np.diag(matrix))) @ np.array(shape)


def cubic(
    data: np.ndarray, scale: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Return cubic splines through `data` at `scale` x index + `offset`, an array of `shape`; dtype stays.

    The border is repeated. Equal to `scipy.ndimage.affine_transform(..., order=3, mode="nearest")` to rounding; whole
    numbers are rounded to the nearest.

    Parameters
    ----------
    data : numpy.ndarray
        Array with three axes.
    scale, offset : numpy.ndarray, shape (3,)
        Source index = `scale` x target index + `offset`.
    shape : tuple of int
        Shape of the result.

    Returns
    -------
    numpy.ndarray
        Of `shape`, dtype of `data`.
    """
    spline = _coefficients(data)
    weights = [
        _weights(n, s, o, size)
        for n, s, o, size in zip(data.shape, scale, offset, shape, strict=True)
    ]
    out = np.empty(shape, data.dtype)
    planes: dict[int, np.ndarray] = {}
    for index, row in enumerate(out):  # plane by plane, so that the processor's cache holds them
        at = slice(*weights[0].indptr[index : index + 2])
        near = weights[0].indices[at].tolist()
        planes = {k: planes[k] if k in planes else _in_plane(spline[k], weights) for k in near}
        row[:] = _as_type(
            sum(w * planes[k] for w, k in zip(weights[0].data[at], near, strict=True)), data.dtype
        )
    return out


def _coefficients(data: np.ndarray) -> np.ndarray:
    """Return the coefficients (float64) of the cubic spline through `data` and its repeated border.

    Computed in place: of a large scan no other copy is needed.
    """
    spline = np.empty([n + 2 * BORDER for n in data.shape])
    spline[(slice(BORDER, -BORDER),) * 3] = data
    for axis in range(
        3
    ):  # lines of axes that come later are empty outside of the data, and follow with those axes
        lines = np.moveaxis(spline, axis, 0)
        lines[:BORDER], lines[-BORDER:] = lines[BORDER], lines[-BORDER - 1]
    for axis in range(3):
        ndimage.spline_filter1d(spline, 3, axis, output=spline, mode="nearest")
    return spline


def linear(
    data: np.ndarray, scale: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Return `data` interpolated linearly at `scale` x index + `offset` (float32), 0 outside of the voxels' centres.

    Equal to `scipy.ndimage.affine_transform(..., order=1, mode="constant")` to rounding. For arrays that fit into the
    processor's cache.

    Parameters
    ----------
    data : numpy.ndarray
        Array with three axes.
    scale, offset : numpy.ndarray, shape (3,)
        Source index = `scale` x target index + `offset`.
    shape : tuple of int
        Shape of the result.

    Returns
    -------
    numpy.ndarray
        Of `shape`, float32.
    """
    weights = [
        _linear_weights(n, s, o, size)
        for n, s, o, size in zip(data.shape, scale, offset, shape, strict=True)
    ]
    return applied(weights, data.astype(np.float64)).astype(np.float32)


def applied(
    matrices: Sequence[sparse.sparray], data: np.ndarray, order: tuple[int, ...] = (1, 2, 0)
) -> np.ndarray:
    """Return `data` (three axes) multiplied by one matrix along each axis, in `order`.

    By default the first axis comes last, so that a result larger than `data` need not be turned.
    """
    for axis in order:
        turned = np.moveaxis(data, axis, 0)
        product = matrices[axis] @ turned.reshape(turned.shape[0], -1)
        data = np.moveaxis(product.reshape(-1, *turned.shape[1:]), 0, axis)
    return data


def _in_plane(plane: np.ndarray, weights: list[sparse.csr_array]) -> np.ndarray:
    """Return a plane of spline coefficients interpolated along both of its axes."""
    return np.ascontiguousarray((weights[2] @ (weights[1] @ plane).T).T)


def nearest_is_plain(matrix: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Return whether `nearest` finds the same voxels as the whole matrix (3 x 3).

    It does where no position along an axis lies so near to half-way between two voxels that what the other axes add,
    or rounding, could decide.
    """
    parts = zip(offset, np.diag(matrix), shape, _strays(matrix, shape), strict=True)
    for start, scale, size, stray in parts:
        edge = start + scale * np.arange(size) + 0.5
        if np.abs(edge - np.rint(edge)).min() <= stray + SAME_VOXEL:
            return False
    return True


def nearest(
    data: np.ndarray, scale: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Return the voxels of `data` nearest to `scale` x index + `offset`, an array of `shape`.

    Half-way between two the latter is taken; the border is repeated. Equal to `scipy.ndimage.affine_transform(...,
    order=0, mode="nearest")`.

    Parameters
    ----------
    data : numpy.ndarray
        Array with three axes.
    scale, offset : numpy.ndarray, shape (3,)
        Source index = `scale` x target index + `offset`.
    shape : tuple of int
        Shape of the result.

    Returns
    -------
    numpy.ndarray
        Of `shape`, dtype of `data`.
    """
    index = [
        np.floor(np.clip(o + s * np.arange(size), 0, n - 1) + 0.5).astype(int)
        for n, s, o, size in zip(data.shape, scale, offset, shape, strict=True)
    ]
    return data[np.ix_(*index)]


def target_axes(matrix: np.ndarray) -> tuple[int, ...] | None:
    """Return for each source axis the target axis that moves along it most; None if they are not all different.

    Of a scan that is stored in another order of axes, `matrix[:, axes]` is nearly diagonal.
    """
    axes = tuple(int(axis) for axis in np.abs(matrix).argmax(axis=1))
    return axes if sorted(axes) == [0, 1, 2] else None


def nearest_if_plain(
    data: np.ndarray, matrix: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray | None:
    """Return the voxels of `data` nearest to `matrix` (3 x 3) x index + `offset`, an array of `shape`.

    None where `nearest_is_plain` says no, whatever the order of axes.

    Parameters
    ----------
    data : numpy.ndarray
        Array with three axes.
    matrix : numpy.ndarray, shape (3, 3)
        Target index -> source index.
    offset : numpy.ndarray, shape (3,)
        Source index of the target's first voxel.
    shape : tuple of int
        Shape of the result.

    Returns
    -------
    numpy.ndarray or None
    """
    axes = target_axes(matrix)
    if axes is None:
        return None
    turned, size = matrix[:, axes], tuple(shape[axis] for axis in axes)
    if not nearest_is_plain(turned, offset, size):
        return None
    found = nearest(data, np.diag(turned), offset, size)
    return np.ascontiguousarray(found.transpose(np.argsort(axes)))


def _weights(n: int, scale: float, offset: float, size: int) -> sparse.csr_array:
    """Return the matrix (`size` x `n` + twice the border) of the cubic spline at every position of one axis."""
    position = np.clip(offset + scale * np.arange(size), 1 - BORDER, n + BORDER - 3) + BORDER
    return cubic_basis(position - 1, n + 2 * BORDER)


def cubic_basis(position: np.ndarray, count: int) -> sparse.csr_array:
    """Return the matrix (positions x `count`) of uniform cubic B-splines; the four from floor(p) on count at p."""
    first = np.floor(position).astype(int)
    t = (position - first)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 3 * (t + t**2 - t**3) + 1, t**3])
    columns = first[:, None] + np.arange(4)
    parts = (weights / 6).ravel(), columns.ravel(), np.arange(0, 4 * len(position) + 1, 4)
    return sparse.csr_array(parts, shape=(len(position), count))


def _linear_weights(n: int, scale: float, offset: float, size: int) -> sparse.csr_array:
    position = offset + scale * np.arange(size)
    inside = (position >= 0) & (position <= n - 1)
    first = np.clip(np.floor(position).astype(int), 0, max(n - 2, 0))
    t = position - first
    weights = np.stack([(1 - t) * inside, t * inside], axis=1)
    columns = np.minimum(first[:, None] + np.arange(2), n - 1)
    parts = weights.ravel(), columns.ravel(), np.arange(0, 2 * size + 1, 2)
    return sparse.csr_array(parts, shape=(size, n))


def _as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return floating-point values as `dtype`; what unsigned numbers cannot hold is clipped."""
    if np.issubdtype(dtype, np.unsignedinteger):
        values = np.clip(values + 0.5, 0, np.iinfo(dtype).max)
    elif np.issubdtype(dtype, np.integer):
        values = values + np.copysign(0.5, values)
    return values.astype(dtype)
