"""Turn predictions of three vertebrae each into one instance per vertebra.

Every vertebra is predicted up to three times: as the centre of its own cut-out, and as the
neighbour in the cut-outs above and below. Predictions that agree form a group, groups vote, and the
best groups are placed first (Moeller et al., Eur Radiol 2024, arXiv 2402.16368). All masks are
handled within their bounding boxes.
"""

from __future__ import annotations

import cc3d
import numpy as np
from scipy import ndimage

from wirbel.core.boxes import Box
from wirbel.core.components import voxel_volume_mm3
from wirbel.core.geometry import Volume
from wirbel.core.instances.bodies import Bodies, separate_bodies
from wirbel.core.instances.ownership import one_vertebra_per_body
from wirbel.core.instances.predicted_vertebrae import (
    CENTRE,
    SMALLEST_CANDIDATE_MM3,
    Group,
    Predictions,
    find_candidates,
    find_groups,
)
from wirbel.core.labels import VERTEBRA_SUBREGIONS

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
