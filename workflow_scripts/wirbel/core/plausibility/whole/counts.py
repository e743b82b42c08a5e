"""Compare vertebrae with discs and arches: a spine has one disc below every body and an arch behind
it.
"""

from __future__ import annotations

import numpy as np

from wirbel.core.measures.coverage.counts import cut_off
from wirbel.core.plausibility.whole.chain import Link, WholeChain

MISSING_DISCS, MISSING_DISCS_SHARE = 2, 0.25
"""Two vertebrae may have fused, from birth (block vertebrae) or by an operation, and lack one disc;
four such vertebrae are rare.
"""
SURPLUS_DISCS = 2
"""Surplus of discs over bodies that needs an explanation; one disc lies above the topmost visible
body.
"""
MISSING_ARCHES, MISSING_ARCHES_SHARE = 2, 1 / 3
WITHOUT_SPINOUS = 5
"""Vertebrae in a row that all lack a spinous process: more than a laminectomy takes. Networks draw
arches, but no spinous process, on images whose front and back are exchanged.
"""
SMALLEST_ARCH_MM3, SMALLEST_ARCH_SHARE = 150.0, 0.1
"""A tenth of a C3's arch and processes, and of any body's volume: they have half to twice of it (Panjabi et al., Spine
1991;16:861 and 888, 1992;17:299), less where their sides are out of view."""
BEHIND_MM = 45.0
"""From a body's centre to the middle of its arch: half an L5 body of 36 mm, the canal of 20 mm, and
the lamina.
"""
SECOND_PIECE = 1 / 6
POSTERIOR = np.array([0.0, -1.0, 0.0])


def count_flags(chain: WholeChain) -> list[str]:
    """Return the flags about numbers that do not match."""
    flags = {
        "discs_missing": discs_missing(chain),
        "bodies_missing": bodies_missing(chain),
        "arches_missing": arches_missing(chain),
        "body_in_pieces": any(link.second_piece >= SECOND_PIECE for link in chain.in_profile),
    }
    return [flag for flag, is_set in flags.items() if is_set]


def discs_missing(chain: WholeChain) -> bool:
    """Return True if more discs are missing between neighbouring bodies than block vertebrae explain."""
    between = chain.links[:-1]
    missing = sum(not chain.disc_in_map(link.label) for link in between)
    return missing >= MISSING_DISCS and missing >= MISSING_DISCS_SHARE * len(between)


def bodies_missing(chain: WholeChain) -> bool:
    """Return True if there are discs or arches without bodies."""
    alone = [v for v in chain.without_body if not cut_off(chain.maps.whole(v))]
    return bool(alone) or len(chain.discs) >= len(chain.links) + SURPLUS_DISCS


def has_arch(link: Link) -> bool:
    """Return True if the structures labelled behind a body can be its arch and processes, or most of
    them.
    """
    return link.arch_mm3 >= max(SMALLEST_ARCH_MM3, SMALLEST_ARCH_SHARE * link.volume_mm3)


def arches_missing(chain: WholeChain) -> bool:
    """Return True if bodies lack their arches, or all of them a spinous process, although their backs
    are in view.
    """
    seen = [link for link in chain.in_profile if _back_in_view(chain, link)]
    if len(seen) >= WITHOUT_SPINOUS and all(link.spinous_mm is None for link in seen):
        return True
    missing = sum(not has_arch(link) for link in seen)
    return missing >= MISSING_ARCHES and missing >= MISSING_ARCHES_SHARE * len(seen)


def _back_in_view(chain: WholeChain, link: Link) -> bool:
    """Return True if the scan continues behind a body, judged by the canal behind it or else by the
    header.
    """
    near = chain.canal_mm[np.linalg.norm(chain.canal_mm - link.centre_mm, axis=1) < BEHIND_MM]
    back = POSTERIOR if len(near) == 0 else near.mean(0) - link.centre_mm
    back = back / max(np.linalg.norm(back), 1e-9)
    return chain.in_view(link.centre_mm + BEHIND_MM * back)
