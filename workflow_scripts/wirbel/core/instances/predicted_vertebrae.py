"""Predicted vertebrae, and which of them are the same one: groups of predictions that agree.

Every vertebra is predicted up to three times: as the centre of its own cut-out, and as the neighbour in the cut-outs
above and below (Moeller et al., Eur Radiol 2024, arXiv 2402.16368).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.boxes import Box, label_boxes, moved
from wirbel.core.instances.cutouts import overlap

ABOVE, CENTRE, BELOW = 1, 2, 3
"""Labels within one prediction."""
SMALLEST_CANDIDATE_MM3 = 200.0
"""A neighbour at the edge of the field of view may be small, but shows at least the tip of a spinous
process.
"""
PARTNER_DICE = 0.3
FARTHEST_PARTNER = 2
"""Both from the published method: SPINEPS, Moeller et al. 2024."""


@dataclass(frozen=True)
class Predictions:
    """Outputs of the instance network on n cut-outs, sorted from the top of the spine down.

    Attributes
    ----------
    labels : ndarray of uint8, shape (n, P, I, R)
        0 background, 1 vertebra above, 2 centre, 3 below.
    origin : ndarray of int, shape (n, 3)
        Index of each cut-out's first voxel on the model grid; may be negative.
    centre_mm : ndarray, shape (n, 3)
        The body centres, RAS+ world.
    """

    labels: np.ndarray
    origin: np.ndarray
    centre_mm: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Candidate:
    """One predicted vertebra.

    Attributes
    ----------
    prediction : int
        Cut-out that shows it.
    role : int
        `ABOVE`, `CENTRE` or `BELOW`.
    box : tuple of slices
        Where `mask` lies on the model grid.
    mask : ndarray of bool
        Its voxels.
    size : int
        Number of its voxels.
    """

    prediction: int
    role: int
    box: Box
    mask: np.ndarray
    size: int

    @property
    def position(self) -> int:
        """Index of the body centre that this vertebra should have; -1 is above the first."""
        return self.prediction + self.role - CENTRE


@dataclass(frozen=True)
class Group:
    """Candidates that show one vertebra, and their mean pairwise Dice."""

    members: tuple[Candidate, ...]
    agreement: float

    @property
    def rank(self) -> tuple:
        """Sort key: more members, better agreement, more voxels, then from the top down."""
        size = sum(m.size for m in self.members)
        return -len(self.members), -self.agreement, -size, self.members[0].position


def find_candidates(
    predictions: Predictions, vertebra: np.ndarray, smallest_voxels: float
) -> list[Candidate]:
    """Return every predicted vertebra, limited to the map and to the semantic phase's vertebra voxels."""
    found = []
    for i in range(len(predictions)):
        block = predictions.labels[i]
        source, target = overlap(predictions.origin[i], block.shape, vertebra.shape)
        inside = block[target]
        for role, box in label_boxes(inside).items():
            place = moved(box, source)
            mask = (inside[box] == role) & vertebra[place]
            size = int(np.count_nonzero(mask))
            if size >= smallest_voxels:
                found.append(Candidate(i, role, place, mask, size))
    return found


def find_groups(candidates: list[Candidate]) -> list[Group]:
    """Return one group per candidate: the candidate and its best two partners from other predictions."""
    scores = _pair_scores(candidates)
    groups = []
    for i, candidate in enumerate(candidates):
        best: dict[int, tuple[float, int]] = {}
        for j, other in enumerate(candidates):
            score = scores[i, j]
            if score > PARTNER_DICE and score > best.get(other.prediction, (0.0, -1))[0]:
                best[other.prediction] = (score, j)
        partners = [j for _, j in sorted(best.values(), key=lambda item: (-item[0], item[1]))[:2]]
        members = [i, *partners]
        pairs = [scores[a, b] for n, a in enumerate(members) for b in members[n + 1 :]]
        agreement = float(np.mean(pairs)) if pairs else 0.0
        groups.append(Group((candidate, *(candidates[j] for j in partners)), agreement))
    return groups


def _pair_scores(candidates: list[Candidate]) -> np.ndarray:
    scores = np.zeros((len(candidates), len(candidates)))
    for i, a in enumerate(candidates):
        for j in range(i + 1, len(candidates)):
            b = candidates[j]
            if 0 < abs(a.prediction - b.prediction) <= FARTHEST_PARTNER:
                scores[i, j] = scores[j, i] = candidate_dice(a, b)
    return scores


def candidate_dice(a: Candidate, b: Candidate) -> float:
    """Return the Dice coefficient of two candidates, computed where their boxes overlap."""
    common = [
        (max(s.start, t.start), min(s.stop, t.stop)) for s, t in zip(a.box, b.box, strict=True)
    ]
    if any(low >= high for low, high in common):
        return 0.0
    shared = _window(a, common) & _window(b, common)
    return 2 * int(np.count_nonzero(shared)) / (a.size + b.size)


def _window(candidate: Candidate, common: list[tuple[int, int]]) -> np.ndarray:
    return candidate.mask[
        tuple(
            slice(lo - s.start, hi - s.start)
            for (lo, hi), s in zip(common, candidate.box, strict=True)
        )
    ]
