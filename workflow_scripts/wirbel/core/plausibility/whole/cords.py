"""Check that the cord runs inside the canal without a gap, and that the canal is no wider than one can be."""

from __future__ import annotations

import itertools

import numpy as np

from wirbel.core.labels import CANAL, CORD, LEVEL_LABELS, LEVELS_TOP_DOWN
from wirbel.core.plausibility.whole.chain import WholeChain, unit

SLAB_MM = 4.0
"""Height of the slabs, across the line from the first to the last body, in which cord and canal are compared."""
GAP_MM = 16.0
"""Canal without cord between two pieces of it; both reach through two slabs at least, so that specks do not count."""
LEAST_POINTS = 5
TAPERED, TIP_SLABS = 0.6, 3
"""The cone in which the cord ends has, over its last 12 mm, less than this part of its area: a cone of 25 mm has a
tenth. Roots that are called cord below it begin as thin, and grow thicker where a narrow canal crowds them, but not as
thick as the cord. Where cord was missed it ends and begins at its full area."""
USUAL_PERCENTILE = 75
"""Of the areas of a cord that tapers at one end, this one is that of the cord itself."""
ABOVE_CONUS = LEVEL_LABELS["T9"]
"""No cord ends as high as here: the highest seen in 504 adults is the middle of T12 (Saifuddin et al., Spine
1998;23:1452-1456); three levels for a shift of the names."""
WIDER = 1.0
"""Spread of the cord about the middle of cord and canal, relative to that of the canal around it: below 0.7 where the
cord lies inside."""
FARTHEST_MM = 30.0
"""From the middle of a section to its rim: half a canal of 30 mm (Panjabi et al. 1991, 1992), and as much again where
the sacral canal runs askew."""
LEAK_ML = 1.0


class Sections:
    """Points of cord and canal by slab along the spine.

    `along` is the unit vector from the last body to the first, `cord_slab` and `canal_slab` say for each point in which
    slab it lies, counted upwards; `cord_of` and `canal_of` give a slab's points in mm.
    """

    def __init__(self, chain: WholeChain) -> None:
        self.along = along = unit(chain.centres_mm[0] - chain.centres_mm[-1])
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
        "cord_broken": longest_gap_mm(sections, lowest_end(chain, sections)) >= GAP_MM,
        "cord_outside": cord_spread(sections) > WIDER,
        "canal_leaks": leaked_points(sections) * voxel_mm3 / 1000 > LEAK_ML,
    }
    return [flag for flag, is_set in flags.items() if is_set]


def longest_gap_mm(sections: Sections, lowest_end: int | None = None) -> float:
    """Return the longest run of slabs between two pieces of cord that show canal alone; thin roots are no cord.

    Parameters
    ----------
    sections : Sections
        Cord and canal by slab.
    lowest_end : int, optional
        Slab above which the cord cannot have ended.
    """
    slabs, counts = np.unique(sections.cord_slab, return_counts=True)
    kept = counts >= LEAST_POINTS
    slabs, counts = slabs[kept], counts[kept]
    pieces = np.split(np.arange(len(slabs)), np.flatnonzero(np.diff(slabs) > 1) + 1)
    ends = [piece for piece in pieces if len(piece) > 1]
    canal = set(np.unique(sections.canal_slab))
    longest = 0
    for lower, upper in itertools.pairwise(ends):
        ended = lowest_end is None or slabs[upper[0]] <= lowest_end
        if not (ended and _are_roots(counts[: lower[-1] + 1], counts[upper[0] :])):
            gap = range(slabs[lower[-1]] + 1, slabs[upper[0]])
            longest = max(longest, sum(slab in canal for slab in gap))
    return SLAB_MM * longest


def _are_roots(below: np.ndarray, above: np.ndarray) -> bool:
    """Whether the cord ends above a gap and what is called cord below it are roots.

    `below` and `above` are areas by slab, (n,) and (m,), from the feet up, in any unit.
    """
    usual = np.percentile(above, USUAL_PERCENTILE)
    ends = (above[:TIP_SLABS], below[-TIP_SLABS:])
    long_enough = len(above) > TIP_SLABS
    thin = all(end.mean() < TAPERED * usual for end in ends) and below.max() < usual
    return bool(long_enough and thin)


def lowest_end(chain: WholeChain, sections: Sections) -> int | None:
    """Return the slab of the lowest body beside which no cord ends, None without such bodies."""
    above = LEVELS_TOP_DOWN[: LEVELS_TOP_DOWN.index(ABOVE_CONUS) + 1]
    heights = [link.centre_mm @ sections.along for link in chain.links if link.label in above]
    return int(np.floor(min(heights) / SLAB_MM)) if heights else None


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
