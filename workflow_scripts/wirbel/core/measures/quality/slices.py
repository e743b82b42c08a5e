"""Slices that do not fit: every other one is shifted, as motion between the halves of an interleaved scan does."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import tight_box
from wirbel.core.geometry import grow_box
from wirbel.core.measures.quality.tissue import ACROSS, Tissue

AROUND_MM = 8.0
"""Tissue so near to the spine is compared as well: its edges tell a shift."""
SMOOTH = 1.0
"""Slices are smoothed by so many voxels before they are compared."""
BESIDE = 6
"""So many voxels around what is compared enter into its smoothed gradient."""
FEWEST_SLICES, FEWEST_VOXELS = 3, 200


def slice_shift_mm(tissue: Tissue) -> float | None:
    """Return by how many mm every other slice is shifted within its plane; None with fewer than five of the spine.

    Each slice is compared with the mean of its neighbours on both sides: the shift that explains most of the difference
    (least squares on the gradient, Lucas and Kanade, Proc IJCAI 1981:674-679), with gain and offset left free. What
    alternates from slice to slice is the shift; what the spine's own course adds does not alternate.
    """
    tight = tight_box(tissue.spine)
    if tight is None:
        return None
    steps = max(1, round(AROUND_MM / float(tissue.spacing_mm[:2].mean())))
    box = grow_box(tight, (steps + BESIDE, steps + BESIDE, 1), tissue.spine.shape)
    spine = tissue.spine[box]
    near = ndimage.binary_dilation(spine, ACROSS, iterations=steps)
    smooth = ndimage.gaussian_filter(tissue.data[box], (SMOOTH, SMOOTH, 0.0))
    inner = range(1, smooth.shape[2] - 1)
    kept = [k for k in inner if spine[:, :, k].sum() >= FEWEST_VOXELS]
    found = [(k, _shift(smooth, near[:, :, k], k)) for k in kept]
    shifts = {k: shift * tissue.spacing_mm[:2] for k, shift in found if shift is not None}
    if len(shifts) < FEWEST_SLICES:
        return None
    even, odd = (np.array([s for k, s in shifts.items() if k % 2 == p]) for p in (0, 1))
    if not len(even) or not len(odd):
        return None
    return float(np.linalg.norm(np.median(odd, 0) - np.median(even, 0)) / 2)


def _shift(smooth: np.ndarray, near: np.ndarray, at: int) -> np.ndarray | None:
    """Return a slice's shift (2,) in voxels against the mean of both neighbours."""
    beside = (smooth[:, :, at - 1] + smooth[:, :, at + 1]) / 2
    down, across = np.gradient(beside)
    design = np.stack([down[near], across[near], beside[near], np.ones(near.sum())], axis=1)
    fit, _, rank, _ = np.linalg.lstsq(design, smooth[:, :, at][near], rcond=None)
    return -fit[:2] / fit[2] if rank == design.shape[1] and fit[2] > 0 else None
