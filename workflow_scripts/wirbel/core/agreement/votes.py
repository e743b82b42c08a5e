"""How well the predictions of each vertebra agree: every vertebra is predicted up to three times."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from wirbel.core.agreement.figures import Agreement
from wirbel.core.agreement.margins import LABELS, labels_at
from wirbel.core.components import voxel_volume_mm3
from wirbel.core.geometry import Volume
from wirbel.core.instances.consolidation import vertebra_voxels
from wirbel.core.instances.predicted_vertebrae import (
    SMALLEST_CANDIDATE_MM3,
    Candidate,
    Predictions,
    candidate_dice,
    find_candidates,
)
from wirbel.core.labels import DISC_OFFSET, SACRUM


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
        counts[[0, SACRUM]] = 0
        counts[DISC_OFFSET:] = 0
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
