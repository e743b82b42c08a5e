"""Union and ignore labels in the loss, on a handful of voxels; and how cases are mixed."""

import numpy as np
import pytest
import torch

from wirbel.core import labels as L
from wirbel.io.foreign.label_schemes import read_scheme, scheme_from
from wirbel.learning.semantic.marginal import (
    MarginalLoss,
    marginal_cross_entropy,
    marginal_dice,
    resolved,
)
from wirbel.learning.training.mixture import Mixture, RealCases, probabilities, stored_targets
from wirbel.learning.training.targets import CLASSES, as_targets, targets_of

TABLE = torch.tensor(
    [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 1, 0], [1, 1, 1, 1]]
).bool()
"""Three structures; number 4 is the union of the first two, 5 is ignore."""
UNION, IGNORE = 4, 5


def scores(*probabilities: list[float]) -> torch.Tensor:
    """Logits of voxels along the last axis, shape (1, 4, voxels, 1, 1)."""
    rows = torch.tensor(probabilities).log()
    return rows.T[None, :, :, None, None].requires_grad_()


def numbers(*values: int) -> torch.Tensor:
    return torch.tensor(values)[None, :, None, None]


def complete(output, target):
    raise AssertionError("the loss of complete labels is not asked for")


def loss_of(given: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return MarginalLoss(TABLE, complete)(given, target[:, None])


def test_the_loss_of_a_union_is_that_of_the_sum_of_its_probabilities():
    given = scores([0.1, 0.2, 0.5, 0.2])
    entropy = marginal_cross_entropy(given, numbers(UNION), TABLE)
    assert float(entropy.detach()) == pytest.approx(-np.log(0.7))
    dice = marginal_dice(given.softmax(1), numbers(UNION), TABLE)
    assert float(dice) == pytest.approx(2 * 0.7 / (0.7 + 1), abs=1e-4)


def test_a_union_does_not_prefer_one_of_its_structures():
    splits = ([0.1, 0.65, 0.05, 0.2], [0.1, 0.05, 0.65, 0.2], [0.1, 0.35, 0.35, 0.2])
    losses = [float(loss_of(scores(s), numbers(UNION))) for s in splits]
    assert losses == pytest.approx([losses[0]] * 3)
    given = scores(splits[2])
    loss_of(given, numbers(UNION)).backward()
    background, first, second, other = given.grad[0, :, 0, 0, 0].tolist()
    assert first == pytest.approx(second) and first < 0 < min(background, other)


def test_ignored_voxels_have_no_gradient_at_all():
    given = scores([0.1, 0.2, 0.5, 0.2], [0.4, 0.2, 0.2, 0.2], [0.7, 0.1, 0.1, 0.1])
    loss_of(given, numbers(UNION, IGNORE, 0)).backward()
    assert torch.count_nonzero(given.grad[:, :, 1]) == 0
    assert torch.count_nonzero(given.grad[:, :, 0]) == 4


def test_a_sample_of_which_nothing_is_known_teaches_nothing():
    given = scores([0.1, 0.2, 0.5, 0.2], [0.4, 0.2, 0.2, 0.2])
    loss_of(given, numbers(IGNORE, IGNORE)).backward()
    assert torch.count_nonzero(given.grad) == 0


def test_a_union_says_nothing_about_the_dice_of_its_structures():
    """Voxel 0 is surely structure 1, voxel 1 one of 1 and 2: the Dice of 1 is that of voxel 0 alone."""
    certain = marginal_dice(
        scores([0.1, 0.6, 0.2, 0.1], [0.0001, 0.0001, 0.9, 0.0998]).softmax(1),
        numbers(1, UNION),
        TABLE,
    )
    of_one = 2 * 0.6 / (0.6 + 1)
    of_union = 2 * (0.8 + 0.9001) / (0.8 + 0.9001 + 2)
    assert float(certain) == pytest.approx((of_one + of_union) / 2, abs=1e-3)


def test_complete_labels_keep_the_loss_they_had():
    seen = []
    loss = MarginalLoss(TABLE, lambda output, target: seen.append(target) or torch.tensor(3.0))
    assert float(loss(scores([0.25] * 4), numbers(2)[:, None])) == 3.0
    assert len(seen) == 1


def test_a_union_counts_as_the_structure_that_was_predicted():
    predicted = numbers(1, 2, 3, 0, 3)
    truth = resolved(predicted, numbers(UNION, UNION, UNION, IGNORE, 2), TABLE)
    assert truth.ravel().tolist() == [1, 2, 1, 0, 2]


def test_targets_of_a_scheme_on_a_map():
    scheme = read_scheme("spider_merged")
    targets = targets_of([scheme, read_scheme("spider")])
    table = targets.table()
    found = as_targets(np.array([[0, 1, 2, 3]]), scheme, targets)[0]
    assert [int(table[number].sum()) for number in found] == [3, 9, 1, 2]
    assert (table[:CLASSES] == np.eye(CLASSES, dtype=bool)).all()
    assert len(targets.unions) == 3
    assert stored_targets(Mixture(targets).stored([])) == targets


def test_unions_of_one_side_are_mirrored_into_those_of_the_other():
    left = [
        "costal_process_left",
        "superior_articular_process_left",
        "inferior_articular_process_left",
    ]
    scheme = scheme_from(
        {"structures": {"left": left}, "numbers": {1: "left"}, "unlabelled": "background"}, "sides"
    )
    targets = targets_of([scheme])
    assert len(targets.unions) == 2, "the right side's union is needed where a patch is mirrored"
    ours = as_targets(np.array([1]), scheme, targets)[0]
    other = {**dict(targets.mirrored()), **{b: a for a, b in targets.mirrored()}}[int(ours)]
    table = targets.table()
    assert table[ours].sum() == table[other].sum() == len(left)
    assert not (table[ours] & table[other]).any()
    assert L.COSTAL_LEFT in scheme.compared["left"]


def test_cases_are_seen_in_the_stated_proportions():
    real = (RealCases(0.5, ("a1", "a2"), ("a3",)), RealCases(0.2, ("b1",)))
    stored = Mixture(real=real).stored(["p1", "p2", "p3"])
    seen = probabilities(stored, ["p1", "p3", "a1", "a2", "b1"])
    assert seen == pytest.approx([0.15, 0.15, 0.25, 0.25, 0.2])
    assert probabilities(stored, ["p1", "p2"]) is None
    assert Mixture(real=real).validation() == ["a3"]
