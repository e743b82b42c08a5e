"""Turn predictions of three vertebrae each into one instance per vertebra.

Every vertebra is predicted up to three times: as the centre of its own cut-out, and as the
neighbour in the cut-outs above and below. Predictions that agree form a group, groups vote, and the
best groups are placed first (Moeller et al., Eur Radiol 2024, arXiv 2402.16368). All masks are
handled within their bounding boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np
from scipy import ndimage

from wirbel.core.boxes import Box
from wirbel.core.components import voxel_volume_mm3
from wirbel.core.geometry import Volume
from wirbel.core.instances.bodies import Bodies, separate_bodies
from wirbel.core.instances.cutouts import overlap
from wirbel.core.instances.ownership import one_vertebra_per_body
from wirbel.core.labels import VERTEBRA_SUBREGIONS

ABOVE, CENTRE, BELOW = 1, 2, 3
"""Labels within one prediction."""
SMALLEST_CANDIDATE_MM3 = 200.0
"""A neighbour at the edge of the field of view may be small, but shows at least the tip of a spinous
process.
"""
PARTNER_DICE = 0.3
FARTHEST_PARTNER = 2
"""Both from the published method: SPINEPS, Moeller et al. 2024."""
WELL_AGREEING = 0.45
"""Mean Dice within a triple from which a voxel needs two of three votes.

If one of the three shows two vertebrae at once, the mean is still 0.5 to 0.7. Below this threshold
no two members show the same vertebra. Voxels with one vote are recovered when the numbers spread
over the rest of the vertebra.
"""
COVERED = 0.6
"""A group of which better groups already cover more than this fraction is the same vertebra again
(Moeller et al. 2024).
"""
SMALLEST_PIECE_MM3 = 60.0
"""Smaller pieces of an instance are noise of the vote; their voxels go to the neighbour they touch."""

MOST_GROUPS = 200
"""Limit on the number of instances before the bodies decide: labels are bytes, and a spine has 25
vertebrae.
"""


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


def consolidate(
    labels: Volume, predictions: Predictions, bodies: Bodies | None = None
) -> np.ndarray:
    """Return one instance per vertebra.

    Parameters
    ----------
    labels : Volume
        The settled subregion map that the cut-outs come from, any orientation.
    predictions : Predictions
        Outputs of the instance network.
    bodies : Bodies, optional
        Vertebral bodies of `labels`. Default: `separate_bodies(labels)`.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)
        1 ... n from the top down on the grid of `labels`; 0 outside vertebra subregions. Each
        vertebral body belongs to exactly one instance, and each instance has at most one body.
    """
    bodies = separate_bodies(labels) if bodies is None else bodies
    vertebra = vertebra_voxels(labels.data)
    smallest = SMALLEST_CANDIDATE_MM3 / voxel_volume_mm3(labels.affine)
    candidates = find_candidates(predictions, vertebra, smallest)
    instances, positions = _place(
        sorted(find_groups(candidates), key=lambda g: g.rank), vertebra.shape
    )
    _drop_small_pieces(instances, SMALLEST_PIECE_MM3 / voxel_volume_mm3(labels.affine))
    centres = {c.prediction: c for c in candidates if c.role == CENTRE}
    proposals = [(predictions.centre_mm[i], c.box, c.mask) for i, c in sorted(centres.items())]
    return one_vertebra_per_body(labels, bodies, instances, positions, vertebra, proposals)


def find_candidates(
    predictions: Predictions, vertebra: np.ndarray, smallest_voxels: float
) -> list[Candidate]:
    """Return every predicted vertebra, limited to the map and to the semantic phase's vertebra voxels."""
    found = []
    for i in range(len(predictions)):
        block = predictions.labels[i]
        source, target = overlap(predictions.origin[i], block.shape, vertebra.shape)
        inside = block[target]
        for role, box in enumerate(ndimage.find_objects(inside, max_label=BELOW), start=ABOVE):
            if box is None:
                continue
            place = tuple(
                slice(s.start + b.start, s.start + b.stop) for s, b in zip(source, box, strict=True)
            )
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


def vote(group: Group) -> tuple[Box, np.ndarray]:
    """Return the box and the mask of a group: two votes in a well-agreeing triple, otherwise one."""
    boxes = [m.box for m in group.members]
    box = tuple(
        slice(min(b[a].start for b in boxes), max(b[a].stop for b in boxes)) for a in range(3)
    )
    votes = np.zeros([s.stop - s.start for s in box], np.uint8)
    for member in group.members:
        inside = tuple(
            slice(m.start - s.start, m.stop - s.start) for m, s in zip(member.box, box, strict=True)
        )
        votes[inside] += member.mask
    needed = 2 if len(group.members) == 3 and group.agreement >= WELL_AGREEING else 1
    return box, votes >= needed


def _place(groups: list[Group], shape: tuple[int, ...]) -> tuple[np.ndarray, list[float]]:
    """Write groups in order of rank; return the map, and the position of each instance among the
    centres.
    """
    instances = np.zeros(shape, np.uint8)
    positions: list[float] = []
    for group in groups:
        box, mask = vote(group)
        free = mask & (instances[box] == 0)
        total, new = np.count_nonzero(mask), np.count_nonzero(free)
        if total == 0 or 1 - new / total > COVERED or len(positions) == MOST_GROUPS:
            continue
        positions.append(float(np.median([m.position for m in group.members])))
        instances[box][free] = len(positions)
    return instances, positions


def _drop_small_pieces(instances: np.ndarray, smallest_voxels: float) -> None:
    for number, box in enumerate(ndimage.find_objects(instances), start=1):
        if box is None:
            continue
        part = instances[box]
        pieces = cc3d.connected_components((part == number).view(np.uint8), connectivity=26)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = sizes.max(initial=0)
        small = sizes < min(smallest_voxels, sizes[1:].max(initial=0))
        part[small[pieces]] = 0


def vertebra_voxels(data: np.ndarray) -> np.ndarray:
    """Return where a subregion map shows a part of a vertebra, as bool."""
    lookup = np.zeros(256, bool)
    lookup[list(VERTEBRA_SUBREGIONS)] = True
    return lookup[data]
