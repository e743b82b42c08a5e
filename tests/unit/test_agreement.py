"""Agreement: votes for a vertebra and margins of the segmentation, where the answer is on the page."""

import numpy as np
import pytest
import torch
from support.spines.spine_boxes import box_spine, counters, oracle

from wirbel.core.agreement.figures import Agreement, followed
from wirbel.core.agreement.margins import STEPS, labels_at, mean_margins
from wirbel.core.agreement.votes import agreement_of_votes
from wirbel.core.geometry import Volume, grid_with_spacing, reorient
from wirbel.core.instances.cutouts import body_centres
from wirbel.core.instances.predicted_vertebrae import ABOVE, BELOW, CENTRE
from wirbel.core.measures.agreement import agreement_columns
from wirbel.core.resampling import resample_labels
from wirbel.learning.semantic.margins import classes_and_margins

LUMBAR = box_spine(range(20, 25))
MAP = LUMBAR.labels.with_data(LUMBAR.vertebra)


def predicted():
    return oracle(LUMBAR.labels, counters(LUMBAR), body_centres(LUMBAR.labels))


def test_perfect_predictions_agree_wholly_at_the_ends_with_two_votes():
    found = agreement_of_votes(LUMBAR.labels, predicted(), MAP)
    assert found.instance == dict.fromkeys(range(20, 25), 1.0)
    assert found.votes == {20: 2, 21: 3, 22: 3, 23: 3, 24: 2}


def test_the_final_map_may_lie_on_another_grid():
    stored = reorient(MAP, ("L", "S", "A"))
    final = resample_labels(stored, grid_with_spacing(stored.grid, (3.3, 0.8, 0.8)))
    assert agreement_of_votes(LUMBAR.labels, predicted(), final) == agreement_of_votes(
        LUMBAR.labels, predicted(), MAP
    )


def test_a_vote_for_half_a_vertebra_lowers_the_mean_of_three_pairs():
    """L3 by its own cut-out (third) shows every second sagittal slice only: Dice 2/3 with both others, who agree."""
    predictions = predicted()
    block = predictions.labels[2]
    left_out = (block == CENTRE) & ((np.arange(block.shape[2]) + predictions.origin[2][2]) % 2 == 0)
    block[left_out] = 0
    found = agreement_of_votes(LUMBAR.labels, predictions, MAP)
    kept = 1 - left_out.sum() / (left_out.sum() + (block == CENTRE).sum())
    pair = 2 * kept / (1 + kept)
    assert found.instance[22] == pytest.approx((1 + 2 * pair) / 3)
    assert pair == pytest.approx(2 / 3, abs=0.03) and found.instance[21] == 1.0


def test_one_vote_is_counted_but_agrees_with_nobody():
    predictions = predicted()
    for place, role in ((0, CENTRE), (1, ABOVE)):
        predictions.labels[place][predictions.labels[place] == role] = 0
    found = agreement_of_votes(LUMBAR.labels, predictions, MAP)
    assert found.votes == {21: 3, 22: 3, 23: 3, 24: 2} and 20 not in found.instance
    predictions = predicted()
    predictions.labels[3][predictions.labels[3] == BELOW] = 0
    found = agreement_of_votes(LUMBAR.labels, predictions, MAP)
    assert found.votes[24] == 1 and 24 not in found.instance


def test_of_two_predictions_of_one_cut_out_the_larger_one_votes():
    predictions = predicted()
    block = predictions.labels[1]
    below = np.argwhere(block == BELOW)
    block[tuple(below[: len(below) // 4].T)] = (
        ABOVE  # a quarter of L3 is called the vertebra above L2
    )
    found = agreement_of_votes(LUMBAR.labels, predictions, MAP)
    assert found.votes[22] == 3 and 0.8 < found.instance[22] < 1


def test_margins_are_those_of_the_mean_scores_and_only_within_structures():
    scores = torch.zeros(3, 1, 1, 3)
    scores[0, 0, 0, 0] = 9.0  # background
    scores[1, 0, 0, 1] = 2.0
    scores[2, 0, 0, 2] = 400.0
    classes, margins = classes_and_margins(scores, folds=2)
    assert classes.ravel().tolist() == [0, 1, 2]
    margin = (np.e - 1) / (np.e + 2)
    assert margins.ravel().tolist() == [0, round(1 + margin * STEPS), 255]


def test_an_image_without_any_structure_has_no_margin():
    classes, margins = classes_and_margins(-torch.arange(3.0).reshape(3, 1, 1, 1), 1)
    assert not classes.any() and not margins.any()


def test_mean_margins_leave_out_what_the_network_gave_to_background():
    final = Volume(np.array([[[20, 20, 20, 120]]], np.uint8), np.eye(4))
    margin = final.with_data(np.array([[[255, 128, 0, 1]]], np.uint8))
    structures = final.with_data(np.array([[[41, 49, 49, 100]]], np.uint8))
    whole, bodies = mean_margins(margin, final, structures)
    assert whole == {20: pytest.approx(0.75), 120: 0.0} and bodies == {20: 0.5}


def test_labels_are_looked_up_by_position_and_nothing_lies_outside():
    volume = Volume(np.array([[[7, 8]]], np.uint8), np.eye(4))
    grid = Volume(np.zeros((1, 1, 3), np.uint8), np.diag([1, 1, -1.0, 1])).grid
    moved = type(grid)(grid.shape, grid.affine + np.eye(4, k=3)[[2, 1, 0, 3]] * 0)
    moved.affine[2, 3] = 1.0  # z = 1, 0, -1
    assert labels_at(volume, moved, np.ones((1, 1, 3), bool)).ravel().tolist() == [8, 7, 0]
    assert labels_at(volume, moved, np.array([[[False, True, True]]])).ravel().tolist() == [0, 7, 0]


def test_agreement_follows_new_names():
    before = np.array([3, 3, 4, 103], np.uint8)
    names = followed(before, np.array([20, 20, 0, 120], np.uint8))
    found = Agreement({3: 0.9, 4: 0.8}, {3: 3, 4: 2}, {3: 0.7, 103: 0.6}, {3: 0.5}).renamed(names)
    assert found == Agreement({20: 0.9}, {20: 3}, {20: 0.7, 120: 0.6}, {20: 0.5})


def rows():
    return (
        [{"label": 20}, {"label": 21}],
        [{"label_above": 20}, {"label_above": 21}],
    )


def test_rows_say_what_is_known_and_what_is_low():
    vertebrae, discs = rows()
    margins = {20: 0.99, 21: 0.98, 120: 0.1}
    found = Agreement({20: 0.5}, {20: 3, 21: 1}, margins, {20: 0.89, 21: 0.96})
    scan = agreement_columns(vertebrae, discs, found, ())
    assert [row["agreement_status"] for row in vertebrae] == ["ok", "one_vote"]
    assert [row["low_agreement"] for row in vertebrae] == [True, False]
    assert [row["instance_votes"] for row in vertebrae] == [3, 1]
    assert [row["agreement_status"] for row in discs] == ["ok", "added_later"]
    assert [row["low_agreement"] for row in discs] == [True, False]
    assert scan == {
        "lowest_instance_agreement": 0.5,
        "lowest_body_margin": 0.89,
        "lowest_disc_margin": 0.1,
        "low_agreement_rows": 2,
        "agreement_status": "ok",
    }


def test_an_unsure_body_is_low_whatever_its_processes():
    vertebrae, discs = rows()
    found = Agreement({20: 0.99, 21: 0.99}, {20: 3, 21: 3}, {20: 0.95, 21: 0.5}, {20: 0.7, 21: 0.9})
    agreement_columns(vertebrae, discs, found, ())
    assert [row["low_agreement"] for row in vertebrae] == [True, False]


def test_votes_that_differ_around_a_body_that_nobody_doubts_are_not_low():
    """As at C7 and T1, whose long processes neighbouring cut-outs share out differently."""
    vertebrae, discs = rows()
    found = Agreement({20: 0.7, 21: 0.7}, {20: 3, 21: 3}, {}, {20: 0.93, 21: 0.89})
    agreement_columns(vertebrae, discs, found, ())
    assert [row["low_agreement"] for row in vertebrae] == [False, True]


def test_what_the_border_cuts_is_not_called_low():
    vertebrae, discs = rows()
    low = {20: 0.5, 21: 0.5, 120: 0.5, 121: 0.5}
    found = Agreement(low, {20: 3, 21: 3}, low, low)
    scan = agreement_columns(vertebrae, discs, found, [20, 120])
    assert [row["low_agreement"] for row in (*vertebrae, *discs)] == [False, True, False, True]
    assert scan["low_agreement_rows"] == 2 and scan["lowest_body_margin"] == 0.5


def test_maps_from_elsewhere_say_that_nothing_is_known():
    vertebrae, discs = rows()
    scan = agreement_columns(vertebrae, discs, Agreement(), ())
    for row in (*vertebrae, *discs):
        assert row["agreement_status"] == "not_recorded"
        assert row["semantic_margin"] is row["low_agreement"] is None
    assert scan["low_agreement_rows"] is None and scan["agreement_status"] == "not_recorded"
