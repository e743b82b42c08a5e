"""How well the networks agree about each structure: votes for a vertebra, margins of the segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from wirbel.core.components import voxel_volume_mm3
from wirbel.core.consolidation import (
    SMALLEST_CANDIDATE_MM3,
    Candidate,
    Predictions,
    candidate_dice,
    find_candidates,
    vertebra_voxels,
)
from wirbel.core.geometry import Volume
from wirbel.core.margins import LABELS, labels_at


@dataclass(frozen=True)
class Agreement:
    """What the networks agree about, by label of the vertebra map.

    Attributes
    ----------
    instance : mapping of int to float
        Vertebra -> mean Dice between the predictions that show it; missing where one only does.
    votes : mapping of int to int
        Vertebra -> number of these predictions.
    margin : mapping of int to float
        Vertebra, disc or endplate -> mean margin of its voxels.
    """

    instance: Mapping[int, float] = field(default_factory=dict)
    votes: Mapping[int, int] = field(default_factory=dict)
    margin: Mapping[int, float] = field(default_factory=dict)

    def renamed(self, names: Mapping[int, int]) -> Agreement:
        """Return the same by new labels; those without one (0) are left out."""

        def moved(values: Mapping) -> dict:
            found = {names.get(label, 0): value for label, value in values.items()}
            return {label: value for label, value in found.items() if label}

        return Agreement(moved(self.instance), moved(self.votes), moved(self.margin))


def agreement_of_votes(labels: Volume, predictions: Predictions, vertebra: Volume) -> Agreement:
    """Return how well the predictions of each vertebra agree.

    A prediction votes for the vertebra in which most of its voxels end up; of a cut-out's predictions for the same
    vertebra, the one with most voxels there counts.

    Parameters
    ----------
    labels : Volume
        Subregion map on the grid of the predictions.
    predictions : Predictions
        Outputs of the instance network.
    vertebra : Volume
        The merged map, on any grid; other labels than those of vertebrae do not count.
    """
    within = vertebra_voxels(labels.data)
    smallest = SMALLEST_CANDIDATE_MM3 / voxel_volume_mm3(labels.affine)
    merged = labels_at(vertebra, labels.grid, within)
    best: dict[tuple[int, int], tuple[int, Candidate]] = {}
    for candidate in find_candidates(predictions, within, smallest):
        counts = np.bincount(merged[candidate.box][candidate.mask], minlength=LABELS)
        counts[0] = 0
        key = int(counts.argmax()), candidate.prediction
        if counts[key[0]] > best.get(key, (0, candidate))[0]:
            best[key] = int(counts[key[0]]), candidate
    votes: dict[int, list[Candidate]] = {}
    for (label, _), (_, candidate) in sorted(best.items(), key=lambda item: item[0]):
        votes.setdefault(label, []).append(candidate)
    dice = {
        label: float(np.mean([candidate_dice(a, b) for a, b in combinations(found, 2)]))
        for label, found in votes.items()
        if len(found) > 1
    }
    return Agreement(dice, {label: len(found) for label, found in votes.items()})


def followed(before: np.ndarray, after: np.ndarray) -> dict[int, int]:
    """Return label -> label that most of its voxels have in another map of the same shape; 0 is none.

    Examples
    --------
    >>> followed(np.array([3, 3, 3, 4], np.uint8), np.array([20, 20, 0, 0], np.uint8))
    {3: 20, 4: 0}
    """
    pairs = before.astype(np.intp).ravel() * LABELS + after.ravel()
    counts = np.bincount(pairs, minlength=LABELS**2).reshape(LABELS, LABELS)
    return {int(n): int(counts[n].argmax()) for n in np.flatnonzero(counts.any(axis=1)) if n}
