"""Check front and back, head and feet, and the header's axes: where a spine must point in RAS+
coordinates.
"""

from __future__ import annotations

import numpy as np

from wirbel.core.plausibility.whole.canal import canal_flags, canal_offsets_mm
from wirbel.core.plausibility.whole.chain import WholeChain
from wirbel.core.plausibility.whole.counts import arches_missing
from wirbel.core.plausibility.whole.curves import curves_bend_forward

ANTERIOR, SUPERIOR = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
TILT_DEG = ((250.0, 25.0), (100.0, 35.0), (60.0, 45.0))
"""Length in mm of the line from the first to the last body, and its largest tilt. In 800 simulated
supine people, whole spines tilt by up to 15 degrees and necks by up to 30. Three or four vertebrae
at the end of a lordosis may tilt more; fewer say nothing.
"""
CORD_ENDS_MM = 50.0
"""More canal without cord than this beyond the end of the cord is not an accident."""
CORD_BELOW_MM = 40.0
"""The cord fills the upper part of the canal. In real lumbar scans its centroid lies 50 to 100 mm above
the canal's, in necks level with it.
"""
FEWEST_SIZES = 5
GROWTH, SHRINKING = 0.03, -0.06
"""Bodies grow by 2 to 10 % in volume per level downwards, except for a few in the neck (Panjabi et al.
1991, 1992). A trend of minus 3 % suggests an exchange; no spine has minus 6 %.
"""
FEWEST_POINTS = 10
VOTES_NEEDED = 2


def direction_flags(chain: WholeChain) -> list[str]:
    """Return the flags about the header's directions."""
    flags = {
        "front_back_exchanged": front_back_exchanged(chain),
        "head_feet_exchanged": head_feet_exchanged(chain),
        "spine_tilted": spine_tilted(chain),
    }
    return [flag for flag, is_set in flags.items() if is_set]


def front_back_exchanged(chain: WholeChain) -> bool:
    """Return True if canal and arches lie in front of the bodies according to the header.

    If they are missing, the curves decide.
    """
    ways = [link.arch_mm - link.centre_mm for link in chain.links if link.arch_mm is not None]
    votes = [np.median([way @ ANTERIOR for way in ways])] if ways else []
    if len(chain.links) > 1:
        forward = canal_offsets_mm(chain) @ ANTERIOR
        votes += [np.nanmedian(forward)] if np.isfinite(forward).any() else []
    if votes and all(vote > 0 for vote in votes):
        return True
    return curves_bend_forward(chain) and (arches_missing(chain) or bool(canal_flags(chain)))


def head_feet_exchanged(chain: WholeChain) -> bool:
    """Return True if the spine is upside down.

    Sacrum, sizes or a cord in the lower part of the canal decide alone; otherwise two signs do, if they
    outnumber those against it.
    """
    if not chain.links:
        return False
    sacrum, growth = _sacrum_is_above(chain), _growth_downwards(chain)
    if sacrum is not None:
        return sacrum
    if growth is not None and growth < SHRINKING:
        return True
    if _cord_lies_low(chain):
        return True
    sizes = None if growth is None or abs(growth) < GROWTH else growth < 0
    votes = [sizes, _cord_is_below(chain), _processes_point_up(chain)]
    known = [vote for vote in votes if vote is not None]
    return sum(known) >= VOTES_NEEDED and sum(known) > len(known) - sum(known)


def spine_tilted(chain: WholeChain) -> bool:
    """Return True if the chain deviates more from the header's head-feet axis than any spine does."""
    if len(chain.links) < 3:
        return False
    line = chain.centres_mm[0] - chain.centres_mm[-1]
    length = np.linalg.norm(line)
    tilt = np.rad2deg(np.arccos(np.clip(abs(line @ SUPERIOR) / max(length, 1e-9), 0, 1)))
    return any(length >= shortest and tilt > largest for shortest, largest in TILT_DEG)


def _sacrum_is_above(chain: WholeChain) -> bool | None:
    if chain.sacrum is None:
        return None
    return bool(chain.sacrum.centroid_mm @ SUPERIOR > (chain.centres_mm @ SUPERIOR).max())


def _growth_downwards(chain: WholeChain) -> float | None:
    """Return the growth of the logarithm of volume per body along the header's head-feet axis, without
    C2 and its dens.

    It is the median of all pairs' slopes (Theil and Sen), so that a fractured body does not turn
    it; None for few bodies.
    """
    bodies = [link for link in chain.whole if link.level != "C2"]
    if len(bodies) < FEWEST_SIZES:
        return None
    downwards = sorted(bodies, key=lambda link: -link.centre_mm @ SUPERIOR)
    logs = np.log([link.volume_mm3 for link in downwards])
    return float(
        np.median([(b - a) / (j - i) for j, b in enumerate(logs) for i, a in enumerate(logs[:j])])
    )


def _cord_is_below(chain: WholeChain) -> bool | None:
    """Return True if the cord's end lies below the canal's; None if it ends nowhere in view."""
    if len(chain.cord_mm) < FEWEST_POINTS:
        return None
    canal, cord = chain.canal_mm @ SUPERIOR, chain.cord_mm @ SUPERIOR
    without_above, without_below = canal.max() - cord.max(), cord.min() - canal.min()
    if max(without_above, without_below) < CORD_ENDS_MM:
        return None
    return bool(without_above > without_below)


def _cord_lies_low(chain: WholeChain) -> bool:
    """Return True if the cord lies in the lower part of the canal."""
    if len(chain.cord_mm) < FEWEST_POINTS:
        return False
    heights = (points @ SUPERIOR for points in (chain.canal_mm, chain.cord_mm))
    canal, cord = map(np.mean, heights)
    return bool(canal - cord > CORD_BELOW_MM)


def _processes_point_up(chain: WholeChain) -> bool | None:
    """Return True if processes point up: spinous processes should slope down, superior articular
    processes lie above inferior ones.
    """
    heights = [
        (upper - lower) @ SUPERIOR
        for link in chain.links
        for upper, lower in (
            (link.centre_mm, link.spinous_mm),
            (link.superior_mm, link.inferior_mm),
        )
        if upper is not None and lower is not None
    ]
    return bool(np.median(heights) < 0) if len(heights) >= FEWEST_SIZES else None
