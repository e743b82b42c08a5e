"""Overlap, instance matching and surface distance on maps small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist

from wirbel.core.evaluation.metrics.matching import invented_vertebrae, match_vertebrae
from wirbel.core.evaluation.metrics.overlap import dice
from wirbel.core.evaluation.metrics.panoptic import only, panoptic_quality
from wirbel.core.evaluation.metrics.surfaces import mask_scores, surface_distances_mm
from wirbel.core.evaluation.structures import structure_rows
from wirbel.core.geometry import Volume

MM = (1.0, 1.0, 1.0)


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
    reference = Volume(column(49, 50, 100, 60), np.eye(4))
    rows = structure_rows("sub-1", reference, column(49, 49, 100, 0))
    assert {row["structure"]: row["dice"] for row in rows} == {
        "vertebral_body": 1.0,
        "intervertebral_disc": 1.0,
        "spinal_cord": 0.0,
    }


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
    scores = mask_scores(one, other, (3.0, 0.5, 1.0), tolerance_mm=0.9)
    assert scores == {"dice": 0.0, "assd_mm": 1.0, "hd95_mm": 1.0, "nsd": 0.0}
    assert mask_scores(one, other, (3.0, 0.5, 1.0), tolerance_mm=1.0)["nsd"] == 1.0


def test_one_point_far_away_moves_hd95_only_if_it_is_more_than_a_twentieth():
    """A row of 40 voxels; the prediction has 1 or 6 more, 30 mm beside it."""
    reference = np.zeros((40, 40, 1), bool)
    reference[:, 0] = True
    prediction = reference.copy()
    prediction[0, 30] = True
    assert mask_scores(reference, prediction, MM)["hd95_mm"] == 0.0
    prediction[:6, 30] = True
    scores = mask_scores(reference, prediction, MM)
    assert scores["hd95_mm"] == 30.0
    assert scores["assd_mm"] == pytest.approx((0 + 6 * 30 / 46) / 2), "mean of both directions"
    assert scores["nsd"] == pytest.approx(80 / 86)


def test_a_missed_mask_lowers_dice_and_nsd_and_has_no_distance():
    there, nothing = np.ones((2, 2, 2), bool), np.zeros((2, 2, 2), bool)
    missed = {"dice": 0.0, "assd_mm": None, "hd95_mm": None, "nsd": 0.0}
    assert mask_scores(there, nothing, MM) == missed
    assert mask_scores(nothing, there, MM) == missed
    assert set(mask_scores(nothing, nothing, MM).values()) == {None}
    assert surface_distances_mm(there, nothing, MM) is None


def brute_force(one, other, spacing):
    """All distances between surfaces, from every voxel to every voxel."""
    points = []
    for mask in (one, other):
        inner = ndimage.binary_erosion(np.pad(mask, 1))[1:-1, 1:-1, 1:-1]
        points.append(np.argwhere(mask & ~inner) * spacing)
    between = cdist(*points)
    return between.min(1), between.min(0)


@pytest.mark.parametrize("seed", range(4))
def test_distances_equal_those_from_every_voxel_to_every_voxel(seed):
    rng = np.random.default_rng(seed)
    spacing = np.array([3.3, 0.7, 0.9])
    one, other = ndimage.gaussian_filter(rng.normal(size=(2, 9, 12, 10)), (0, 2, 2, 2)) > 0.02
    expected = brute_force(one, other, spacing)
    pooled = np.concatenate(expected)
    scores = mask_scores(one, other, spacing, tolerance_mm=1.0)
    assert scores["assd_mm"] == pytest.approx(np.mean([d.mean() for d in expected]), abs=1e-6)
    assert scores["hd95_mm"] == pytest.approx(np.percentile(pooled, 95), abs=1e-6)
    assert scores["nsd"] == pytest.approx(np.mean(pooled <= 1.0), abs=1e-6)


def test_instances_match_by_iou_and_their_numbers_do_not_count():
    reference = column(20, 20, 20, 20, 21, 21, 21, 21, 22, 22)
    prediction = column(7, 7, 7, 0, 8, 8, 0, 0, 9, 9)
    found = panoptic_quality(reference, prediction, MM)
    # 20 with 7: IoU 3/4; 21 with 8: 2/4, which is not above 0.5; 22 with 9: 1
    assert (found["tp"], found["fp"], found["fn"]) == (2, 1, 1)
    assert found["rq"] == pytest.approx(2 / (2 + 0.5 + 0.5))
    assert found["sq"] == pytest.approx((0.75 + 1) / 2)
    assert found["pq"] == pytest.approx(found["rq"] * found["sq"])
    assert found["sq_dice"] == pytest.approx((6 / 7 + 1) / 2)
    assert found["pq_dice"] == pytest.approx(found["rq"] * found["sq_dice"])
    assert [(p["reference"], p["predicted"]) for p in found["pairs"]] == [(20, 7), (22, 9)]


def test_what_is_not_found_at_all_has_no_segmentation_quality():
    found = panoptic_quality(column(20, 20, 0), column(0, 0, 7), MM)
    assert (found["rq"], found["pq"], found["sq"], found["sq_assd_mm"]) == (0.0, 0.0, None, None)
    nothing = panoptic_quality(column(0, 0), column(0, 0), MM)
    assert (nothing["rq"], nothing["pq"], nothing["sq"]) == (None, None, None)


def test_kinds_of_instances():
    spine = column(1, 19, 28, 26, 120, 128, 220)
    assert only("vertebra", spine).ravel().tolist() == [1, 19, 28, 0, 0, 0, 0]
    assert only("disc", spine).ravel().tolist() == [0, 0, 0, 0, 120, 128, 0]
    assert only("endplate", spine).ravel().tolist() == [0, 0, 0, 0, 0, 0, 220]


def test_maps_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="cannot compare"):
        dice(column(1, 2), column(1))
