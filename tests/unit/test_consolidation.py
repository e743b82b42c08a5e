"""Consolidation: perfect predictions come back exactly, poor ones still give every body its vertebra."""

import numpy as np
import pytest
from support.spines.spine_boxes import FRONT, box_spine, counters, oracle

from wirbel.core.components import find_components
from wirbel.core.geometry import Volume
from wirbel.core.growth import fill_from_nearest, spread
from wirbel.core.instances.consolidation import consolidate, vote
from wirbel.core.instances.cutouts import body_centres
from wirbel.core.instances.predicted_vertebrae import (
    ABOVE,
    BELOW,
    CENTRE,
    Candidate,
    Group,
    Predictions,
    candidate_dice,
    find_groups,
)
from wirbel.core.labels import BODY_BORDER, SACRUM

LUMBAR = box_spine(range(18, 25))
BODY = LUMBAR.labels.data == BODY_BORDER


def predictions_for(spine=LUMBAR, labels=None, truth=None):
    labels = labels or spine.labels
    truth = counters(spine) if truth is None else truth
    return oracle(labels, truth, body_centres(labels))


def candidate(prediction, role, columns, start=0):
    """A one-row candidate that covers `columns` voxels from `start`."""
    mask = np.ones((1, 1, columns), bool)
    box = (slice(0, 1), slice(0, 1), slice(start, start + columns))
    return Candidate(prediction, role, box, mask, columns)


def instance_dice(found, truth, number):
    a, b = found == number, truth == number
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("numbers", [range(2, 25), range(2, 12), range(9, 17), (22,), (23, 24)])
def test_perfect_predictions_return_the_exact_vertebrae(numbers):
    spine = box_spine(numbers, sacrum=24 in numbers)
    assert np.array_equal(consolidate(spine.labels, predictions_for(spine)), counters(spine))


def test_small_bodies_beyond_the_head_do_not_push_lumbar_vertebrae_out():
    """27 bodies, of which a spine has 25 at most: whatever becomes of the five small ones, C3 to L5 stay."""
    spine = box_spine(range(3, 25), top_margin=90)
    data, truth = spine.labels.data.copy(), counters(spine)
    truth[truth > 0] += 5
    for number, row in enumerate((6, 22, 38, 54, 70), start=1):
        block = slice(FRONT, FRONT + 14), slice(row, row + 9), slice(11, 20)
        data[block], truth[block] = BODY_BORDER, number
    labels = spine.labels.with_data(data)
    found = consolidate(labels, predictions_for(labels=labels, truth=truth))
    first = int(found[truth == 6].min())
    assert np.array_equal(found[truth > 5], truth[truth > 5] - 6 + first)


def test_perfect_predictions_of_bodies_that_touch_return_the_exact_vertebrae():
    """The voxels of a fused pair follow the network, not the plane the semantic phase is cut at."""
    data, truth = LUMBAR.labels.data.copy(), counters(LUMBAR)
    disc = LUMBAR.vertebra == 121
    low = np.flatnonzero(disc.any((0, 2)))
    upper = disc.copy()
    upper[:, low[2] :] = False
    rows = np.isin(LUMBAR.vertebra, (121, 221, 222)) & (
        np.arange(data.shape[1])[:, None] >= low[0] - 1
    )
    rows &= np.arange(data.shape[1])[:, None] <= low[-1] + 1
    data[rows], truth[rows] = BODY_BORDER, 5
    truth[upper] = 4
    labels = LUMBAR.labels.with_data(data)
    assert np.array_equal(consolidate(labels, predictions_for(labels=labels, truth=truth)), truth)


def test_dice_looks_at_the_common_box_only():
    # 4 and 6 voxels, 2 of them shared: 2 * 2 / 10.
    assert candidate_dice(candidate(0, CENTRE, 4), candidate(1, ABOVE, 6, 2)) == pytest.approx(0.4)
    assert candidate_dice(candidate(0, CENTRE, 4), candidate(1, ABOVE, 6, 4)) == 0.0


def test_partners_come_from_at_most_two_centres_away_and_one_per_prediction():
    same = [candidate(i, CENTRE, 10) for i in (0, 1, 2, 5)] + [candidate(1, ABOVE, 9)]
    groups = find_groups(same)
    assert {m.prediction for m in groups[0].members} == {0, 1, 2}
    assert len(groups[3].members) == 1  # prediction 5 is three centres from its nearest
    assert groups[0].agreement == 1.0


def test_poor_overlap_makes_no_partners():
    # 2 * 2 / 20 = 0.2 is below 0.3.
    groups = find_groups([candidate(0, CENTRE, 10), candidate(1, ABOVE, 10, 8)])
    assert [len(group.members) for group in groups] == [1, 1]


def test_two_votes_count_in_an_agreeing_triple_and_one_elsewhere():
    triple = (candidate(0, BELOW, 8), candidate(1, CENTRE, 10), candidate(2, ABOVE, 9))
    _, mask = vote(Group(triple, 0.9))
    assert mask.ravel().tolist() == [True] * 9 + [False]
    assert vote(Group(triple, 0.4))[1].sum() == 10
    assert vote(Group(triple[:2], 0.9))[1].sum() == 10


@pytest.mark.parametrize("lost", [0, 3, 6])
def test_a_vertebra_nobody_predicted_gets_its_body_and_its_own_arch(lost):
    predictions = predictions_for()
    labels = predictions.labels.copy()
    for i in range(len(labels)):
        labels[i][labels[i] == lost - i + CENTRE] = 0
    found = consolidate(
        LUMBAR.labels, Predictions(labels, predictions.origin, predictions.centre_mm)
    )
    truth = counters(LUMBAR)
    assert np.array_equal(np.where(BODY, found, 0), np.where(BODY, truth, 0))
    assert min(instance_dice(found, truth, n) for n in range(1, 8)) > 0.97


def test_without_any_prediction_every_body_is_a_vertebra():
    none = Predictions(np.zeros((0, 8, 8, 8), np.uint8), np.zeros((0, 3), int), np.zeros((0, 3)))
    found = consolidate(LUMBAR.labels, none)
    assert np.array_equal(np.where(BODY, found, 0), np.where(BODY, counters(LUMBAR), 0))
    assert ((found > 0) == (counters(LUMBAR) > 0)).all()


def test_a_prediction_that_swallows_the_next_vertebra_loses_it_again():
    predictions = predictions_for()
    labels = predictions.labels.copy()
    labels[3][labels[3] == BELOW] = CENTRE
    found = consolidate(
        LUMBAR.labels, Predictions(labels, predictions.origin, predictions.centre_mm)
    )
    assert np.array_equal(found, counters(LUMBAR))


def test_one_of_three_predictions_that_shows_two_vertebrae_is_outvoted():
    predictions = predictions_for()
    labels = predictions.labels.copy()
    labels[3][labels[3] == BELOW] = CENTRE
    labels[3][labels[3] == ABOVE] = 0
    found = consolidate(
        LUMBAR.labels, Predictions(labels, predictions.origin, predictions.centre_mm)
    )
    assert np.array_equal(found, counters(LUMBAR))


def test_two_vertebrae_that_every_prediction_merges_are_told_apart_by_their_bodies():
    truth = counters(LUMBAR)
    merged = np.where(truth == 5, 4, truth)
    predictions = predictions_for()
    merged = oracle(LUMBAR.labels, merged, predictions.centre_mm)
    found = consolidate(LUMBAR.labels, merged)
    assert np.array_equal(np.where(BODY, found, 0), np.where(BODY, truth, 0))


def test_noisy_predictions_come_close():
    rng = np.random.default_rng(5)
    predictions = predictions_for()
    labels = predictions.labels.copy()
    for block in labels:
        block[rng.random(block.shape) < 0.2] = 0
        block[...] = np.roll(block, rng.integers(-2, 3, 2), (0, 1))
    found = consolidate(
        LUMBAR.labels, Predictions(labels, predictions.origin, predictions.centre_mm)
    )
    assert min(instance_dice(found, counters(LUMBAR), n) for n in range(1, 8)) > 0.97


def test_the_sacrum_is_never_a_vertebra_nor_is_background():
    spine = LUMBAR
    predictions = predictions_for()
    labels = predictions.labels.copy()
    labels[labels == 0] = BELOW
    found = consolidate(
        spine.labels, Predictions(labels, predictions.origin, predictions.centre_mm)
    )
    assert not found[spine.labels.data == SACRUM].any()
    assert ((found > 0) == (counters(spine) > 0)).all()


def test_an_arch_whose_body_lies_above_the_field_of_view_is_a_vertebra_of_its_own():
    truth, data = counters(LUMBAR), LUMBAR.labels.data
    first_row = np.flatnonzero((BODY & (truth == 1)).any((0, 2)))[-1] + 1
    labels = Volume(data[:, first_row:], LUMBAR.labels.affine)
    cut = truth[:, first_row:]
    if not (cut == 1).any():
        cut = cut.copy()
        cut[90:110, :6, 14:18] = 1
        labels.data[90:110, :6, 14:18] = 42
    found = consolidate(labels, oracle(labels, cut, body_centres(labels)))
    assert np.array_equal(found, cut)


def test_instances_are_numbered_along_the_spine():
    found = find_components(
        Volume(consolidate(LUMBAR.labels, predictions_for()), LUMBAR.labels.affine)
    )
    order = found.label[np.argsort(-found.centroid_mm[:, 2])]
    assert order.tolist() == sorted(order)


def test_numbers_spread_along_paths_inside_the_region_only():
    seeds = np.zeros((1, 3, 5), np.uint8)
    seeds[0, 0, 0], seeds[0, 2, 0] = 1, 2
    region = np.array([[[1, 1, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 0, 1, 1]]], bool)
    out = spread(seeds, region, np.ones(3), 2.5)
    # The wall keeps the rows apart; three steps are too far; the lower right piece touches no seed.
    assert out.tolist() == [[[1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [2, 2, 0, 0, 0]]]
    near = fill_from_nearest(out, region, np.eye(4), 1.5)
    assert near.tolist() == [[[1, 1, 1, 1, 0], [0, 0, 0, 0, 0], [2, 2, 0, 0, 0]]]
