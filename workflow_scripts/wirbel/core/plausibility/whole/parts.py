"""Check that the parts behind a body are its own: neither the next vertebra's, nor those of the other side."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.labels import LEFT_RIGHT_PAIRS, SPINOUS_PROCESS
from wirbel.core.plausibility.whole.chain import EVERY_CORNER, Link, WholeChain

HIGHEST_ARCH, LOWEST_ARCH = 0.5, -0.75
"""Centre of arch and processes above the body's centre, relative to the distance to the next body, median of all."""
SECOND_PROCESS = 1 / 3
"""Second piece of a spinous process relative to the first, where the vertebra above has none."""
SMALLEST_SIDE_MM3 = 100.0
"""Specks of a process at the border of the slices do not tell the sides."""
FEWEST_PAIRS = 2
RIGHT = np.array([1.0, 0.0, 0.0])


def part_flags(chain: WholeChain) -> list[str]:
    """Return the flags about arches and processes."""
    flags = {
        "arches_misplaced": arches_misplaced(chain) or spinous_exchanged(chain),
        "sides_exchanged": sides_exchanged(chain),
    }
    return [flag for flag, is_set in flags.items() if is_set]


def arches_misplaced(chain: WholeChain) -> bool:
    """Return True if arches lie a level higher or lower than their bodies."""
    heights = arch_heights(chain)
    return len(heights) > 1 and not LOWEST_ARCH <= np.median(heights) <= HIGHEST_ARCH


def arch_heights(chain: WholeChain) -> list[float]:
    """Return how far arches lie above their body's centre, relative to the distance to the next one."""
    if len(chain.links) < 2:
        return []
    steps = np.linalg.norm(np.gradient(chain.centres_mm, axis=0), axis=1)
    return [
        float((link.arch_mm - link.centre_mm) @ up / step)
        for link, up, step in zip(chain.links, chain.upwards, steps, strict=True)
        if link.arch_mm is not None and link.in_profile
    ]


def spinous_exchanged(chain: WholeChain) -> bool:
    """Return True if a vertebra has no spinous process, and a neighbour has two or both neighbours have one."""
    links = chain.links
    for above, link, below in zip(links, links[1:], links[2:], strict=False):
        beside = above.spinous_mm is not None and below.spinous_mm is not None
        if beside and link.in_profile and _without_spinous(link):
            return True
    pairs = list(zip(links, links[1:], strict=False))
    return any(
        _without_spinous(a) and _has_two(chain, b)
        for above, below in pairs
        for a, b in ((above, below), (below, above))
    )


def _without_spinous(link: Link) -> bool:
    return link.arch_mm is not None and link.spinous_mm is None


def _has_two(chain: WholeChain, link: Link) -> bool:
    process = chain.maps.part(link.label, (SPINOUS_PROCESS,))
    if process is None:
        return False
    pieces, number = ndimage.label(process.mask, EVERY_CORNER)
    sizes = np.sort(np.bincount(pieces.ravel())[1:])
    return number > 1 and bool(sizes[-2] >= SECOND_PROCESS * sizes[-1])


def sides_exchanged(chain: WholeChain) -> bool:
    """Return True if, by the header, left processes lie to the right of right ones at two vertebrae or more."""
    wrong = sum(any(way < 0 for way in sideways(chain, link)) for link in chain.links)
    return wrong >= FEWEST_PAIRS


def sideways(chain: WholeChain, link: Link) -> list[float]:
    """Return how far each right process lies to the right of the left one, in mm."""
    if link.arch_mm is None:
        return []
    pairs = [
        (chain.maps.part(link.label, (left,)), chain.maps.part(link.label, (right,)))
        for left, right in LEFT_RIGHT_PAIRS
    ]
    return [
        float((right.centroid_mm - left.centroid_mm) @ RIGHT)
        for left, right in pairs
        if left is not None
        and right is not None
        and min(left.volume_mm3, right.volume_mm3) >= SMALLEST_SIDE_MM3
    ]
