"""Distances between the surfaces of two masks, in millimetres, and all scores of a pair of masks.

The surface of a mask is its voxels with a face neighbour outside it; what lies outside the array counts as outside.
Distances are between voxel centres, with the voxel's size along each axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from wirbel.core.boxes import tight_box
from wirbel.core.evaluation.metrics.empty_masks import EMPTY
from wirbel.core.evaluation.metrics.overlap import dice
from wirbel.core.geometry import grow_box

TOLERANCE_MM = 1.0
"""Surfaces this near count as equal in the NSD: about the width of a pixel of the published networks' scans."""
MASK_METRICS = ("dice", "assd_mm", "hd95_mm", "nsd")
PERCENTILE = 95


def mask_scores(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing_mm: Sequence[float] | np.ndarray,
    tolerance_mm: float = TOLERANCE_MM,
) -> dict[str, float | None]:
    """Return Dice, ASSD, HD95 and NSD of two masks.

    Parameters
    ----------
    reference, prediction : ndarray of bool, shape (i, j, k)
        Masks on one grid.
    spacing_mm : sequence of three float
        Voxel size along each axis.
    tolerance_mm : float
        Of the NSD.

    Returns
    -------
    dict of str to float or None
        `MASK_METRICS`. `assd_mm` is the mean of both directed mean distances; `hd95_mm` the 95th percentile of all
        distances of both surfaces; `nsd` the share of both surfaces that lies within the tolerance of the other one.
        Empty masks follow `EMPTY`.

    References
    ----------
    ASSD: Heimann et al., IEEE Trans Med Imaging 2009;28:1251, averaged per direction as panoptica does (Kofler et al.,
    arXiv 2312.02608). NSD: Nikolov et al., J Med Internet Res 2021;23:e26151, on voxels instead of surface elements.

    Examples
    --------
    >>> mask = np.zeros((5, 5, 5), bool)
    >>> mask[2, 2, 2] = True
    >>> mask_scores(mask, np.roll(mask, 1, axis=0), (3.0, 1.0, 1.0))
    {'dice': 0.0, 'assd_mm': 3.0, 'hd95_mm': 3.0, 'nsd': 0.0}
    """
    overlap = dice(reference, prediction)
    there = surface_distances_mm(reference, prediction, spacing_mm)
    if there is None:
        empty = not np.any(reference), not np.any(prediction)
        return {name: EMPTY[name][empty] for name in MASK_METRICS}
    pooled = np.concatenate(there)
    return {
        "dice": overlap,
        "assd_mm": float(np.mean([distances.mean() for distances in there])),
        "hd95_mm": float(np.percentile(pooled, PERCENTILE)),
        "nsd": float(np.mean(pooled <= tolerance_mm + 1e-9)),
    }


def surface_distances_mm(
    reference: np.ndarray, prediction: np.ndarray, spacing_mm: Sequence[float] | np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return each surface's distances to the other one: (reference's, prediction's); None if a mask is empty."""
    if not (np.any(reference) and np.any(prediction)):
        return None
    both = np.logical_or(reference, prediction)
    box = grow_box(tight_box(both) or (), 1, both.shape)
    mine, theirs = (_surface(mask[box]) for mask in (reference, prediction))
    return (
        ndimage.distance_transform_edt(~theirs, sampling=spacing_mm)[mine],
        ndimage.distance_transform_edt(~mine, sampling=spacing_mm)[theirs],
    )


def _surface(mask: np.ndarray) -> np.ndarray:
    mask = np.pad(np.asarray(mask, bool), 1)
    inner = ndimage.binary_erosion(mask)
    return (mask & ~inner)[1:-1, 1:-1, 1:-1]
