"""Check that the cord runs inside the canal without a gap, and that the canal is no wider than one can be."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import CANAL, CORD
from wirbel.core.plausibility.whole.chain import WholeChain, unit

SLAB_MM = 4.0
"""Height of the slabs, across the line from the first to the last body, in which cord and canal are compared."""
GAP_MM = 16.0
"""Canal without cord between two pieces of it; both reach through two slabs at least, so that specks do not count."""
LEAST_POINTS = 5
WIDER = 1.0
"""Spread of the cord about the middle of cord and canal, relative to that of the canal around it: below 0.7 where the
cord lies inside."""
FARTHEST_MM = 30.0
"""From the middle of a section to its rim: half a canal of 30 mm (Panjabi et al. 1991, 1992), and as much again where
the sacral canal runs askew."""
LEAK_ML = 1.0


class Sections:
    """Points of cord and canal by slab along the spine.

    `slabs` are the numbers of the slabs (k,) that hold any; `cord_of` and `canal_of` give their points in mm.
    """

    def __init__(self, chain: WholeChain) -> None:
        along = unit(chain.centres_mm[0] - chain.centres_mm[-1])
        self._across = np.eye(3) - np.outer(along, along)
        self.cord, self.canal = (_points(chain, label) for label in (CORD, CANAL))
        self.cord_slab, self.canal_slab = (
            np.floor(points @ along / SLAB_MM).astype(int) for points in (self.cord, self.canal)
        )

    def cord_of(self, slab: int) -> np.ndarray:
        """Points of the cord in a slab, without their height (n, 3)."""
        return self.cord[self.cord_slab == slab] @ self._across

    def canal_of(self, slab: int) -> np.ndarray:
        """Points of the canal in a slab, without their height (n, 3)."""
        return self.canal[self.canal_slab == slab] @ self._across


def cord_flags(chain: WholeChain) -> list[str]:
    """Return the flags about cord and canal."""
    if len(chain.links) < 2:
        return []
    sections = Sections(chain)
    voxel_mm3 = abs(np.linalg.det(chain.maps.subregion.affine[:3, :3]))
    flags = {
        "cord_broken": longest_gap_mm(sections) >= GAP_MM,
        "cord_outside": cord_spread(sections) > WIDER,
        "canal_leaks": leaked_points(sections) * voxel_mm3 / 1000 > LEAK_ML,
    }
    return [flag for flag, is_set in flags.items() if is_set]


def longest_gap_mm(sections: Sections) -> float:
    """Return the longest run of slabs between two pieces of cord that show canal alone."""
    slabs, counts = np.unique(sections.cord_slab, return_counts=True)
    slabs = slabs[counts >= LEAST_POINTS]
    ends = [g for g in np.split(slabs, np.flatnonzero(np.diff(slabs) > 1) + 1) if len(g) > 1]
    canal = set(np.unique(sections.canal_slab))
    gaps = [range(a[-1] + 1, b[0]) for a, b in zip(ends, ends[1:], strict=False)]
    return SLAB_MM * max((sum(slab in canal for slab in gap) for gap in gaps), default=0)


def cord_spread(sections: Sections) -> float:
    """Return the median, over slabs that show both, of the cord's spread over the canal's; 0 without any."""
    ratios = []
    for slab in np.intersect1d(sections.cord_slab, sections.canal_slab):
        cord, canal = sections.cord_of(slab), sections.canal_of(slab)
        if min(len(cord), len(canal)) >= LEAST_POINTS:
            middle = np.concatenate([cord, canal]).mean(0)
            ratios.append(
                np.linalg.norm(cord - middle)
                / np.sqrt(len(cord))
                / (np.linalg.norm(canal - middle) / np.sqrt(len(canal)))
            )
    return float(np.median(ratios)) if ratios else 0.0


def leaked_points(sections: Sections) -> int:
    """Return how many voxels of the canal lie farther from their section's middle than a canal reaches."""
    far = 0
    for slab in np.unique(sections.canal_slab):
        points = sections.canal_of(slab)
        far += int((np.linalg.norm(points - np.median(points, 0), axis=1) > FARTHEST_MM).sum())
    return far


def _points(chain: WholeChain, label: int) -> np.ndarray:
    region = chain.maps.structure(label)
    return np.empty((0, 3)) if region is None else region.points_mm
