"""Smooth random fields that depend on a seed and on the place in millimetres, not on the lattice alone."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..core.geometry import Grid


def smooth_noise(seed: int, grid: Grid, width_mm: float) -> np.ndarray:
    """Return float32 noise of unit variance on `grid`, correlated over about `width_mm`.

    Drawn on a lattice of knots `width_mm` apart and interpolated by quadratic splines.
    """
    rng = np.random.default_rng(seed)
    extent = np.array(grid.shape) * grid.spacing_mm
    knots = tuple(int(n) for n in np.ceil(extent / width_mm) + 3)
    values = rng.standard_normal(knots).astype(np.float32)
    scale = grid.spacing_mm / width_mm
    # quadratic B-splines on white knots have a variance of about 0.55^3 on average
    return ndimage.affine_transform(
        values, scale, 1.0, output_shape=grid.shape, order=2, prefilter=False, mode="nearest"
    ) / np.float32(0.55**1.5)
