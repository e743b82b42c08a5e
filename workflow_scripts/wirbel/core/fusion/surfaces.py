"""Average the surfaces of a structure: the mean of the sources' signed distances, the more exact ones weighing more.

Shape-based averaging (Rohlfing and Maurer, IEEE Trans Inf Technol Biomed 2007;11:171): where a vote can only choose
between the borders that there are, the mean lies between them. How exact each source is follows from the differences of
each two (Grubbs, J Am Stat Assoc 1948;43:243): if errors are independent, their variances add up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage, optimize
from scipy.special import log_ndtr

FAR_MM = 5.0
"""Farther from a source's border than this, the source says whether something is there, not where its border is."""
BAND_MM = 3.0
"""Where the sources' borders are compared: up to so far from one of them."""
LEAST_SD_VOXELS = 0.25
"""No border in a label map is more exact than this: the standard deviation of rounding to voxels is 0.29."""
THIN_MM = 1.5
"""Half the thickness below which borders are not averaged: that of an endplate is 0.5 to 1 mm."""
EXPONENT = 4.0
"""Weight of the borders beside that of STAPLE, chosen among 1, 2 and 4 on phantoms of seeds 91001 to 91003."""
MOST_DEVIATES = 6.0
"""Standard deviations from the border at which a voxel counts as certain."""
FEWEST = 3
"""Two sources' differences do not tell which of them is wrong."""


def border_log_odds(
    inside: Sequence[np.ndarray],
    decided: Sequence[np.ndarray],
    trust: Sequence[float] | np.ndarray,
    spacing_mm: np.ndarray,
) -> np.ndarray:
    """Return how much the mean of the sources' borders speaks for one structure.

    Parameters
    ----------
    inside : sequence of ndarray of bool, shape (i, j, k)
        Where each source sees the structure.
    decided : sequence of ndarray of bool, shape (i, j, k)
        Where it says whether a voxel belongs to it. Elsewhere it has no part.
    trust : sequence of float
        In each source.
    spacing_mm : ndarray, shape (3,)
        Voxel size.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        Log-odds of inside against outside: `EXPONENT` times those of a normal distribution around the mean border. 0
        everywhere if the structure is thinner than `THIN_MM`: what lies beside a thin structure tells nothing of it.
    """
    distances = [signed_distance_mm(mask, spacing_mm) for mask in inside]
    if half_thickness_mm(distances) < THIN_MM:
        return np.zeros(inside[0].shape, np.float32)
    variances = border_variances(distances, decided, float(min(spacing_mm)))
    mean = _mean_mm(distances, decided, trust, variances)
    sd_mm = 1 / np.sqrt(sum(1 / variance for variance in variances))
    deviates = np.clip(mean / sd_mm, -MOST_DEVIATES, MOST_DEVIATES)
    odds = log_ndtr(deviates) - log_ndtr(-deviates)
    return (EXPONENT * odds).astype(np.float32)


def half_thickness_mm(distances: Sequence[np.ndarray]) -> float:
    """Return half the thickness of a structure: the median over sources of their inner distances' 90th percentile."""
    inner = [distance[distance > 0] for distance in distances]
    found = [float(np.percentile(one, 90)) for one in inner if one.size]
    return float(np.median(found)) if found else 0.0


def _mean_mm(
    distances: Sequence[np.ndarray],
    decided: Sequence[np.ndarray],
    trust: Sequence[float] | np.ndarray,
    variances: np.ndarray,
) -> np.ndarray:
    """Return the mean signed distance of those sources near whose structure a voxel lies, if they are the majority."""
    shape = distances[0].shape
    near, mean, total, share = (np.zeros(shape, np.float32) for _ in range(4))
    for distance, known, one, variance in zip(distances, decided, trust, variances, strict=True):
        close = known & (distance > -FAR_MM)
        mean += np.float32(one / variance) * np.where(close, distance, 0)
        near += np.float32(one / variance) * close
        share += np.float32(one) * close
        total += np.float32(one) * known
    there = (near > 0) & (2 * share >= total)
    found = np.divide(mean, near, out=np.full(shape, -FAR_MM, np.float32), where=there)
    return np.where(total > 0, found, 0)


def signed_distance_mm(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the distance to a mask's border, positive inside, cut off at `FAR_MM`; -`FAR_MM` if it is empty.

    Examples
    --------
    >>> signed_distance_mm(np.array([[[0, 1, 1, 0]]], bool), np.array([1.0, 1.0, 2.0])).tolist()
    [[[-1.0, 1.0, 1.0, -1.0]]]
    """
    if not mask.any():
        return np.full(mask.shape, -FAR_MM, np.float32)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing_mm)
    if mask.all():
        return np.full(mask.shape, FAR_MM, np.float32)
    inner = ndimage.distance_transform_edt(mask, sampling=spacing_mm)
    # the border lies half-way between the last voxel inside and the first one outside
    half = 0.5 * np.where(
        mask, np.minimum(inner, max(spacing_mm)), np.minimum(outside, max(spacing_mm))
    )
    signed = np.where(mask, inner - half, half - outside)
    return np.clip(signed, -FAR_MM, FAR_MM).astype(np.float32)


def border_variances(
    distances: Sequence[np.ndarray], decided: Sequence[np.ndarray], voxel_mm: float
) -> np.ndarray:
    """Return the variance of each source's border, in mm2; equal ones for fewer than three sources."""
    count = len(distances)
    least = (LEAST_SD_VOXELS * voxel_mm) ** 2
    if count < FEWEST:
        return np.ones(count)
    pairs, squares = [], []
    for one in range(count):
        for other in range(one + 1, count):
            found = _difference(distances, decided, one, other)
            if found is not None:
                row = np.zeros(count)
                row[[one, other]] = 1
                pairs.append(row)
                squares.append(found)
    if len(pairs) < count:
        return np.ones(count)
    variances, _ = optimize.nnls(np.array(pairs), np.array(squares))
    return np.maximum(variances, least)


def _difference(
    distances: Sequence[np.ndarray], decided: Sequence[np.ndarray], one: int, other: int
) -> float | None:
    """Return the mean squared difference of two sources near their borders; None where there are none."""
    a, b = distances[one], distances[other]
    band = decided[one] & decided[other]
    band &= (np.minimum(abs(a), abs(b)) < BAND_MM) & (np.maximum(abs(a), abs(b)) < FAR_MM)
    return float(np.mean((a[band] - b[band]) ** 2)) if band.any() else None
