"""Smooth random fields that depend on a seed and on the position in millimetres, not only on the grid."""

from __future__ import annotations

import numpy as np

from wirbel.core.geometry import Grid


def smooth_noise(seed: int, grid: Grid, width_mm: float | tuple[float, float, float]) -> np.ndarray:
    """Return smooth noise of about unit variance.

    It is drawn at knots `width_mm` apart and interpolated by quadratic splines.

    Parameters
    ----------
    seed : int
        Seed of the noise.
    grid : Grid
        Where to compute it.
    width_mm : float or tuple of three float
        Correlation length, the same for all directions or along right, anterior, superior (applied
        to the nearest axes).

    Returns
    -------
    ndarray of float32, shape `grid.shape`
    """
    rng = np.random.default_rng(seed)
    width = np.broadcast_to(np.asarray(width_mm, float), 3)
    nearest = np.abs(grid.affine[:3, :3]).argmax(0)
    scale = grid.spacing_mm / width[nearest]
    knots = tuple(int(n) for n in np.ceil(np.array(grid.shape) * scale) + 3)
    out = rng.standard_normal(knots).astype(np.float32)
    for axis in range(3):
        out = _stretch(out, axis, grid.shape[axis], scale[axis])
    return out


def _stretch(values: np.ndarray, axis: int, length: int, scale: float) -> np.ndarray:
    """Interpolate one axis by quadratic B-splines, scaled to unit variance for white knots."""
    position = np.arange(length) * scale + 1
    knot = np.round(position).astype(int)
    t = position - knot
    weights = np.zeros((length, values.shape[axis]), np.float32)
    rows = np.arange(length)
    for shift, weight in ((-1, 0.5 * (0.5 - t) ** 2), (0, 0.75 - t**2), (1, 0.5 * (0.5 + t) ** 2)):
        weights[rows, np.clip(knot + shift, 0, values.shape[axis] - 1)] += weight
    weights /= np.sqrt((weights**2).sum(1, keepdims=True))
    return np.moveaxis(np.tensordot(weights, values, axes=(1, axis)), 0, axis)
