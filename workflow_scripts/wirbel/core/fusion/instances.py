"""Assign voxels to vertebrae from the sources' vertebra maps: match vertebrae by overlap, vote, then name them.

Sources may number the same vertebrae differently, for example one level too low. So vertebrae are matched by position,
and their names are voted on afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.core.evaluation.metrics.overlap import joint_histogram
from wirbel.core.fusion.naming import PRESACRAL, names_of, trust_behind
from wirbel.core.growth import fill_from_nearest

SAME_DICE = 0.3
"""Two sources' vertebrae with a larger Dice are the same one; neighbours overlap by far less."""
REACH_MM = 10.0
"""Bone that no source numbers gets the nearest vertebra up to this distance, a third of a body's height."""


@dataclass(frozen=True)
class Instances:
    """Vertebrae counted from the top down, and their levels.

    Attributes
    ----------
    numbers : ndarray of uint8, shape (i, j, k)
        1 ... n, 0 elsewhere.
    labels : tuple of int
        Vertebra label of each.
    agreement : tuple of float
        Share of the sources' trust behind each name.
    """

    numbers: np.ndarray
    labels: tuple[int, ...]
    agreement: tuple[float, ...]


def fuse_instances(
    maps: Sequence[np.ndarray], trust: Sequence[float], bone: np.ndarray, affine: np.ndarray
) -> Instances | None:
    """Return the vertebrae of a fused subregion map.

    Parameters
    ----------
    maps : sequence of ndarray of int, shape (i, j, k)
        The sources' vertebra maps on one grid; discs and endplates are ignored.
    trust : sequence of float
        In each source.
    bone : ndarray of bool, shape (i, j, k)
        Voxels of the fused map that belong to vertebrae.
    affine : ndarray, shape (4, 4)
        Voxel index -> mm.

    Returns
    -------
    Instances or None
        None if no source names a vertebra.
    """
    known = [np.where(np.isin(one, PRESACRAL), one, 0) for one in maps]
    ranked = sorted(range(len(maps)), key=lambda k: (-trust[k], -len(np.unique(known[k])), k))
    if not any(one.any() for one in known):
        return None
    matched: dict[tuple[int, int], int] = {}  # (source, its label) -> common number
    common = np.zeros(bone.shape, np.uint8)
    for source in ranked:
        _match(known[source], source, common, matched)
    votes = _voted(known, trust, matched, bone)
    order = _from_top(votes, affine)
    names = names_of(order, matched, trust, ranked)
    kept = [number for number, name in zip(order, names, strict=True) if name]
    counters = np.zeros(256, np.uint8)
    counters[kept] = np.arange(1, len(kept) + 1)
    votes[counters[votes] == 0] = 0
    names = tuple(name for name in names if name)
    numbers = fill_from_nearest(counters[votes], bone & (votes == 0), affine, REACH_MM)
    agreement = trust_behind(kept, names, matched, trust)
    return Instances(np.where(bone, numbers, 0).astype(np.uint8), names, agreement)


def _match(
    mine: np.ndarray, source: int, common: np.ndarray, matched: dict[tuple[int, int], int]
) -> None:
    """Match a source's vertebrae with those met so far; new ones are added to `common`."""
    joint = joint_histogram(mine, common)
    sizes, theirs = joint.sum(1), joint.sum(0)
    pairs = sorted(
        (
            (2 * joint[a, b] / (sizes[a] + theirs[b]), a, b)
            for a in range(1, joint.shape[0])
            for b in range(1, joint.shape[1])
            if joint[a, b]
        ),
        key=lambda pair: -pair[0],
    )
    taken: set[int] = set()
    for score, a, b in pairs:
        if score > SAME_DICE and (source, a) not in matched and b not in taken:
            matched[source, a] = b
            taken.add(b)
    for a in range(1, joint.shape[0]):
        free = sizes[a] and (source, a) not in matched
        if free and 2 * joint[a, 0] > sizes[a]:  # most of it lies where no vertebra is known yet
            matched[source, a] = max(matched.values(), default=0) + 1
            common[(mine == a) & (common == 0)] = matched[source, a]


def _voted(
    known: Sequence[np.ndarray],
    trust: Sequence[float],
    matched: dict[tuple[int, int], int],
    bone: np.ndarray,
) -> np.ndarray:
    """Return the common number with most trust behind it at each voxel of bone; 0 where no source has one."""
    best, most = np.zeros(bone.shape, np.uint8), np.zeros(bone.shape, np.float32)
    lookups = []
    for source in range(len(known)):
        lookup = np.zeros(256, np.uint8)
        for (whose, label), number in matched.items():
            if whose == source:
                lookup[label] = number
        lookups.append(lookup[known[source]])
    for number in sorted(set(matched.values())):
        votes = sum(
            (np.float32(t) * (one == number) for one, t in zip(lookups, trust, strict=True)),
            np.zeros(bone.shape, np.float32),
        )
        better = bone & (votes > most)
        best[better], most[better] = number, votes[better]
    return best


def _from_top(numbers: np.ndarray, affine: np.ndarray) -> list[int]:
    """Return the numbers in a map, the uppermost first (by the height of their centroids)."""
    found = [int(number) for number in np.unique(numbers[numbers > 0])]
    centres = ndimage.center_of_mass(np.ones_like(numbers), numbers, found)
    heights = [float(affine[2, :3] @ centre) for centre in centres]
    return [number for _, number in sorted(zip(heights, found, strict=True), reverse=True)]
