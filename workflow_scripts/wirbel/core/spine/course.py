"""The course of the spine from body to body: discs between, and how it bends."""

from __future__ import annotations

import numpy as np

from wirbel.core.instances.body_cuts import Part
from wirbel.core.spine.extents import LARGE, NEARBY_MM, extent_mm
from wirbel.core.spine_curve import Chain

LEAST_DISC_SHARE = 0.15
"""Discs below this part of the usual disc's volume are bits of one."""


def disc_places(discs: list[Part]) -> np.ndarray:
    """Return where discs of a usual size lie along the chain (mm), from the top down, shape (n,)."""
    if not discs:
        return np.zeros(0)
    volume = np.array([disc.volume_mm3 for disc in discs])
    kept = volume >= LEAST_DISC_SHARE * np.median(volume)
    return np.sort([disc.middle_mm for disc, keep in zip(discs, kept, strict=True) if keep])


def disc_ratio(discs: list[Part], chain: Chain, middle: np.ndarray) -> np.ndarray:
    """Return the depth of the largest disc below each piece over the usual depth of those above; NaN without either."""
    at = np.array([disc.middle_mm for disc in discs])
    volume = np.array([disc.volume_mm3 for disc in discs])
    depth = np.array([_depth_mm(disc, chain) for disc in discs])
    ratio = np.full(len(middle), np.nan)
    for i, place in enumerate(middle):
        following = middle[i + 1] if i + 1 < len(middle) else np.inf
        below = np.flatnonzero((at > place) & (at < min(place + NEARBY_MM / 2, following)))
        above = np.flatnonzero((at < place) & (at > place - 2 * NEARBY_MM))
        if len(below) and len(above):
            usual = np.sort(depth[above])[len(above) // 2]
            ratio[i] = depth[below[volume[below].argmax()]] / usual
    return ratio


def _depth_mm(part: Part, chain: Chain) -> float:
    return extent_mm(part.offset_mm @ chain.backward(part.middle_mm))


def bend_deg(centre, middle, share, chain: Chain) -> np.ndarray:
    """Return by how much the way between large pieces turns backwards from the piece above to each; NaN at the top.

    Parameters
    ----------
    centre : numpy.ndarray, shape (n, 3)
        Centres of the pieces, mm.
    middle : numpy.ndarray, shape (n,)
        Their places along the chain, mm.
    share : numpy.ndarray, shape (n,)
        Their sizes, as a share of the usual.
    chain : Chain
        The line through the spine.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Degrees.
    """
    bend = np.full(len(centre), np.nan)
    large = np.flatnonzero(share >= LARGE)
    for i in range(len(centre)):
        above = large[large < i][-2:]
        if len(above) == 2:
            ways = np.diff(centre[[*above, i]], axis=0)
            down, back = chain.down(middle[above[0]]), chain.backward(middle[above[0]])
            lean = np.degrees(np.arctan2(ways @ back, ways @ down))
            bend[i] = lean[1] - lean[0]
    return bend
