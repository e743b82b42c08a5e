"""Check that every disc lies between the two bodies that its name says, and is lower than they are."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import DISC_OFFSET
from wirbel.core.plausibility.whole.chain import WholeChain, unit

BETWEEN_SHARE = 0.8
"""Share of a disc's voxels between the centres of both bodies. A disc reaches from a quarter to three quarters of the
way, tilted by 25 degrees still not beyond the centres."""
FILLED = 0.5
"""Heights of bodies relative to the distance of their centres, median: 0.7 to 0.8 from C3 to L5 (`level_means`); half
of the bodies crushed to half their height leave 0.6."""


def disc_flags(chain: WholeChain) -> list[str]:
    """Return the flags about discs and the room between bodies."""
    if len(chain.links) < 2:
        return []
    flags = {
        "discs_misplaced": any(share < BETWEEN_SHARE for share in between_shares(chain)),
        "bodies_too_low": filled_share(chain) < FILLED,
    }
    return [flag for flag, is_set in flags.items() if is_set]


def between_shares(chain: WholeChain) -> list[float]:
    """Return for each disc below a body the share of its voxels above the next body's centre and below its own."""
    shares = []
    below = [*chain.centres_mm[1:], None]
    for link, up, next_mm in zip(chain.links, chain.upwards, below, strict=True):
        disc = chain.maps.everything(DISC_OFFSET + link.label)
        if disc is None:
            continue
        way = -up if next_mm is None else next_mm - link.centre_mm
        along = (disc.points_mm - link.centre_mm) @ way / (way @ way)
        upper = along < 1 if next_mm is not None else True
        shares.append(float(np.mean((along > 0) & upper)))
    return shares


def filled_share(chain: WholeChain) -> float:
    """Return the median height of neighbouring bodies over the distance of their centres; flanks may be out of view."""
    found = []
    for above, below in zip(chain.links, chain.links[1:], strict=False):
        if above.in_profile and below.in_profile and above.level != "C2":
            way = below.centre_mm - above.centre_mm
            height = (above.extent_mm(unit(way)) + below.extent_mm(unit(way))) / 2
            found.append(height / np.linalg.norm(way))
    return float(np.median(found)) if found else 1.0
