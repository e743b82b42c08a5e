"""Check that the canal runs behind every body without a gap."""

from __future__ import annotations

import numpy as np

from wirbel.core.plausibility.whole.chain import WholeChain

REACH_MM = 60.0
"""No canal is this far from the body in front of it: half an L5 body of 36 mm, half a canal of 20 mm,
and as much again.
"""
SLAB_MM = 4.0
"""Half the height of the slab in which the canal is searched; a gap of 8 mm, a third of a vertebra, is
noticed.
"""
FEWEST_VOXELS = 3
CLOSEST_MM, FARTHEST_MM = 8.0, 45.0
"""Half the depth of a C3 body and half a narrowed canal; those of a large L5, and 15 mm for a curve."""
BESIDE_SHARE = 1 / 3


def canal_offsets_mm(chain: WholeChain) -> np.ndarray:
    """Return the vectors from the chain to the canal, perpendicular to the chain, shape (n, 3); NaN
    where there is no canal.

    They start at the bodies' centres and the middles between neighbours. The first and last body
    count only if they do not reach the border, because beside a cut-off body the canal may be out
    of view.
    """
    last = len(chain.links) - 1
    kept = [k for k, link in enumerate(chain.links) if link.in_profile or 0 < k < last]
    points, axes = chain.centres_mm[kept], chain.upwards[kept]
    points = np.concatenate([points, (points[:-1] + points[1:]) / 2])
    axes = np.concatenate([axes, (axes[:-1] + axes[1:]) / 2])
    ways = [_offset(chain.canal_mm, *at) for at in zip(points, axes, strict=True)]
    return np.array(ways).reshape(-1, 3)


def canal_flags(chain: WholeChain) -> list[str]:
    """Return the flags about the canal."""
    if len(chain.canal_mm) == 0:
        return ["canal_missing"] if chain.links else []
    if len(chain.links) < 2:
        return []
    offsets = canal_offsets_mm(chain)
    there = np.isfinite(offsets).all(1)
    if not there.any():
        return ["canal_missing"] if len(there) else []
    flags = [] if there.all() else ["canal_broken"]
    return flags + (["canal_beside"] if _beside(offsets[there]) else [])


def _offset(canal: np.ndarray, point: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Return the mean vector, shape (3,), from a point to the canal in the slab perpendicular to
    `axis`.
    """
    way = canal - point
    along = way @ axis
    slab = np.abs(along) < SLAB_MM
    way, along = way[slab], along[slab]
    near = np.linalg.norm(way, axis=1) < REACH_MM
    if near.sum() < FEWEST_VOXELS:
        return np.full(3, np.nan)
    return (way[near] - along[near, None] * axis).mean(0)


def _beside(offsets: np.ndarray) -> bool:
    """Return True if the canal is too near, too far, or lateral. Another flag covers a canal in front."""
    length = np.linalg.norm(offsets, axis=1)
    sideways = np.abs(offsets[:, 0]) > np.linalg.norm(offsets[:, 1:], axis=1)
    wrong = (length < CLOSEST_MM) | (length > FARTHEST_MM) | sideways
    return bool(wrong.mean() >= BESIDE_SHARE)
