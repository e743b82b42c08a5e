"""Overlap, instance matching and surface distance on maps small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.evaluation.metrics import (
    dice,
    invented_vertebrae,
    match_vertebrae,
    structure_dice,
    surface_distance_mm,
)


def column(*numbers):
    """Return a map of 1 x n x 1 voxels, from the top down."""
    return np.array(numbers, np.uint8).reshape(1, -1, 1)


def test_dice_counts_the_common_voxels_twice():
    assert dice(column(1, 1, 1, 0), column(0, 1, 1, 1)) == pytest.approx(2 * 2 / 6)
    assert dice(column(1, 1), column(1, 1)) == 1.0
    assert dice(column(1, 0), column(0, 1)) == 0.0


def test_an_empty_mask_follows_the_policy():
    assert dice(column(0, 0), column(0, 0)) is None  # nothing to score
    assert dice(column(0, 0), column(0, 1)) == 0.0
    assert dice(column(1, 0), column(0, 0)) == 0.0


def test_both_labels_of_the_body_are_one_structure():
    scores = structure_dice(column(49, 50, 100, 60), column(49, 49, 100, 0))
    assert scores["vertebral_body"] == 1.0
    assert scores["intervertebral_disc"] == 1.0
    assert scores["spinal_cord"] == 0.0
    assert scores["sacrum"] is None


def test_vertebrae_match_by_overlap_whatever_their_numbers():
    reference = column(20, 20, 20, 21, 21, 21, 22, 22, 22)
    prediction = column(19, 19, 19, 20, 20, 0, 0, 0, 22)
    upper, middle, lower = match_vertebrae(reference, prediction)
    assert (upper.predicted, upper.dice, upper.found) == (19, 1.0, True)
    assert (middle.predicted, middle.dice) == (20, pytest.approx(2 * 2 / 5))
    assert (lower.predicted, lower.dice, lower.found) == (None, pytest.approx(0.5), False)
    assert invented_vertebrae(reference, prediction, [upper, middle, lower]) == [22]


def test_a_vertebra_in_the_wrong_order_is_not_found():
    reference = column(8, 8, 9, 9, 10, 10, 11, 11)
    prediction = column(8, 8, 10, 10, 9, 9, 11, 11)
    found = [match.found for match in match_vertebrae(reference, prediction)]
    assert found.count(True) == 3 and found[0] and found[3]


def test_the_thirteenth_thoracic_vertebra_stands_above_the_first_lumbar():
    spine = column(19, 19, 28, 28, 20, 20)  # T12, T13 (number 28), L1
    assert [match.found for match in match_vertebrae(spine, spine)] == [True] * 3


def test_discs_and_endplates_are_no_vertebrae():
    matches = match_vertebrae(column(20, 120, 220, 26), column(20, 120, 220, 26))
    assert [match.reference for match in matches] == [20]


def test_beyond_an_incomplete_reference_nothing_counts_as_invented():
    reference = column(20, 20, 0, 0, 0)
    prediction = column(20, 20, 0, 21, 21)
    matches = match_vertebrae(reference, prediction)
    assert invented_vertebrae(reference, prediction, matches) == [21]
    assert invented_vertebrae(reference, prediction, matches, complete_reference=False) == []
    split = column(20, 21, 0, 0, 0)  # 21 lies on the reference's only vertebra
    matches = match_vertebrae(column(20, 20, 20, 20, 0), column(20, 20, 20, 21, 0))
    assert invented_vertebrae(
        column(20, 20, 20, 20, 0),
        column(20, 20, 20, 21, 0),
        matches,
        complete_reference=False,
    ) == [21]
    assert match_vertebrae(split, column(0, 0, 0, 0, 0))[0].predicted is None


def test_two_sheets_two_voxels_apart():
    one, other = np.zeros((2, 3, 9, 9), bool)
    one[:, 2, :], other[:, 4, :] = True, True
    one, other = one[:, :9, :], other[:, :9, :]
    assert surface_distance_mm(one, other, (3.0, 0.5, 1.0)) == pytest.approx(2 * 0.5)
    assert surface_distance_mm(one, one, (3.0, 0.5, 1.0)) == 0.0
    assert surface_distance_mm(one, np.zeros_like(one), (1, 1, 1)) is None


def test_maps_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="cannot compare"):
        structure_dice(column(1, 2), column(1))
