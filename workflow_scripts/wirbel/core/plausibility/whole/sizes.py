"""Compare sizes with the level's and the neighbours', and distances between bodies with the usual
ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from wirbel.core.plausibility.level_sizes import (
    BODIES,
    BODY_DEPTH_MM,
    BODY_HEIGHT_MM,
    BODY_VOLUME_MM3,
    BODY_WIDTH_MM,
)
from wirbel.core.plausibility.whole.chain import Link, WholeChain
from wirbel.core.plausibility.whole.shapes import much_larger_than_others

SMALLEST_NEIGHBOUR = 1 / 3
"""A body relative to its larger neighbour: crushed ones keep half (Genant et al., J Bone Miner Res
1993;8:1137), and levels differ by 10 %.
"""
CLOSEST, FARTHEST = 0.55, 1.6
"""Distance between two bodies relative to the usual one: two crushed bodies and a narrowed disc give
0.65; a missing vertebra gives 2.
"""
MEASURED = {
    "height_middle_mm": BODY_HEIGHT_MM,
    "depth_middle_mm": BODY_DEPTH_MM,
    "width_middle_mm": BODY_WIDTH_MM,
}
ANY = (-np.inf, np.inf)


def size_flags(chain: WholeChain, vertebrae: Sequence[Mapping]) -> list[str]:
    """Return the flags about sizes and distances; `vertebrae` are the measured rows."""
    flags = {
        "sizes_impossible": sizes_impossible(chain, vertebrae),
        "sizes_uneven": sizes_uneven(chain),
        "spacing_uneven": spacing_uneven(chain),
    }
    return [flag for flag, is_set in flags.items() if is_set]


def sizes_impossible(chain: WholeChain, vertebrae: Sequence[Mapping]) -> bool:
    """Return True if a body has a volume or a measured size that is impossible at its level.

    One that the border cuts can be too large, but not too small.
    """
    if any(_impossible_volume(link) for link in chain.links):
        return True
    return any(
        row.get(name) is not None and _outside(row[name], ranges.get(row["level"], ANY))
        for row in vertebrae
        for name, ranges in MEASURED.items()
    )


def sizes_uneven(chain: WholeChain) -> bool:
    """Return True if a body is much smaller than the next one, or much larger than those around it (C2
    excepted).
    """
    links = [link for link in chain.in_profile if link.level != "C2"]
    pairs = [(a.volume_mm3, b.volume_mm3) for a, b in zip(links, links[1:], strict=False)]
    smaller = any(min(pair) < SMALLEST_NEIGHBOUR * max(pair) for pair in pairs)
    return smaller or much_larger_than_others(chain)


def spacing_uneven(chain: WholeChain) -> bool:
    """Return True if two neighbouring bodies are too near or too far apart for their levels and this
    person.
    """
    pairs = [
        (a, b)
        for a, b in zip(chain.links, chain.links[1:], strict=False)
        if a.in_profile and b.in_profile and a.level != "C2"
    ]
    if not pairs:
        return False
    distances = np.array([np.linalg.norm(a.centre_mm - b.centre_mm) for a, b in pairs])
    relative = distances / [_usual_distance_mm(a, b) for a, b in pairs]
    relative = relative / np.median(relative) if len(pairs) > 2 else relative
    return bool((relative < CLOSEST).any() or (relative > FARTHEST).any())


def _usual_distance_mm(above: Link, below: Link) -> float:
    upper, lower = BODIES[above.level], BODIES[below.level]
    return (upper.height_mm + lower.height_mm) / 2 + upper.disc_mm


def _impossible_volume(link: Link) -> bool:
    smallest, largest = BODY_VOLUME_MM3[link.level]
    return link.volume_mm3 > largest or (link.whole and link.volume_mm3 < smallest)


def _outside(value: float, limits: tuple[float, float]) -> bool:
    return not limits[0] <= value <= limits[1]
