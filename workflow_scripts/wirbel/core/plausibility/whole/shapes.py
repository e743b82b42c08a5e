"""Check the shapes of bodies by their second moments: slivers, fused bodies, and a wrong voxel size."""

from __future__ import annotations

import numpy as np

from wirbel.core.plausibility.whole.chain import Link, WholeChain, unit

THINNEST = 0.2
"""Thinnest over longest side: 0.5 to 0.8 in sound bodies, 0.28 in an L4 crushed to half its height (Panjabi et al.,
Spine 1992;17:299)."""
WIDTH_OVER_DEPTH = (0.8, 2.0)
"""1.1 to 1.5 from C3 to L5 (Panjabi et al., Spine 1991;16:861 and 888, 1992;17:299). If the voxel size
is wrong along one axis, nothing else may reveal it.
"""
LARGEST = np.array([1.75, 1.6, 1.6])
"""Height, width and depth relative to the median of the two bodies above and the two below. Neighbours differ by 10 %;
two fused bodies with their disc give 2.2; a rim of 5 mm on both sides makes an L3 of 34 mm deep by a third.
"""
RIGHT = np.array([1.0, 0.0, 0.0])


def shape_flags(chain: WholeChain) -> list[str]:
    """Return the flags about shapes."""
    flags = {
        "proportions_impossible": proportions_impossible(chain),
        "slivers": any(map(is_sliver, chain.links)),
    }
    return [flag for flag, is_set in flags.items() if is_set]


def is_sliver(link: Link) -> bool:
    """Return True if a body completely in view is a plate or a thread."""
    return link.whole and link.thinness < THINNEST


def proportions_impossible(chain: WholeChain) -> bool:
    """Return True if most bodies are too narrow or too wide for their depth."""
    ratios = [_width_over_depth(link, up) for link, up in _whole_with_axes(chain)]
    if len(ratios) < 2:
        return False
    return not WIDTH_OVER_DEPTH[0] <= np.median(ratios) <= WIDTH_OVER_DEPTH[1]


def much_larger_than_others(chain: WholeChain) -> bool:
    """Return True if a body is much higher, wider or deeper than those around it, C2 with its dens excepted.

    A body that the border cuts may be too large as well, but does not count as a neighbour.
    """
    if len(chain.links) < 3:
        return False
    bodies = [
        (link, _extents(link, up))
        for link, up in zip(chain.links, chain.upwards, strict=True)
        if link.level != "C2"
    ]
    for k, (_, extents) in enumerate(bodies):
        around = bodies[max(k - 2, 0) : k] + bodies[k + 1 : k + 3]
        others = [own for link, own in around if link.in_profile]
        if len(others) > 1 and (extents > LARGEST * np.median(others, axis=0)).any():
            return True
    return False


def _extents(link: Link, up: np.ndarray) -> np.ndarray:
    """Return height, width and depth in mm."""
    right = unit(RIGHT - (RIGHT @ up) * up)
    return np.array([link.extent_mm(way) for way in (up, right, unit(np.cross(up, right)))])


def _whole_with_axes(chain: WholeChain) -> list[tuple[Link, np.ndarray]]:
    """Return the bodies completely in view with their upward directions; empty if a single body gives
    no direction.
    """
    if len(chain.links) < 2:
        return []
    return [(k, up) for k, up in zip(chain.links, chain.upwards, strict=True) if k.whole]


def _width_over_depth(link: Link, up: np.ndarray) -> float:
    _, width, depth = _extents(link, up)
    return float(width / max(depth, 1e-9))
