"""Dice against references in other numbers, and two models compared, on a handful of voxels."""

import numpy as np
import pytest

from wirbel.core import labels as L
from wirbel.core.evaluation.comparing import compare_models, means, over_structures
from wirbel.core.evaluation.structures import partial_rows
from wirbel.core.geometry import Volume
from wirbel.core.label_schemes import UnknownLabelError
from wirbel.io.foreign.label_schemes import read_scheme, scheme_from


def dice(scheme, reference, prediction):
    """The Dice of a row of voxels."""
    row = Volume(np.array(reference).reshape(1, 1, -1), np.eye(4))
    rows = partial_rows("sub-1", row, scheme, np.array(prediction).reshape(1, 1, -1))
    return {row["structure"]: row["dice"] for row in rows}


def test_every_part_of_a_vertebra_counts_for_a_whole_one():
    found = dice(
        read_scheme("spider_merged"),
        [1, 1, 1, 1, 2, 3, 3, 0],
        [L.BODY, L.BODY_BORDER, L.SPINOUS_PROCESS, L.SACRUM, L.DISC, L.CORD, L.CANAL, L.ARCUS],
    )
    assert found == {"vertebra": 0.75, "disc": 1.0, "canal": 1.0}


def test_vertebrae_of_spider_as_downloaded_are_one_structure():
    found = dice(read_scheme("spider"), [1, 2, 107, 201, 100], [L.BODY, 0, L.ARCUS, L.DISC, L.DISC])
    assert found["vertebra"] == pytest.approx(2 * 2 / (3 + 2))
    assert found["disc"] == pytest.approx(2 / 3)
    assert found["canal"] == 0.0


def test_what_a_reference_does_not_say_is_left_out():
    """Number 1 is a body, 2 any part of a vertebra, 3 unknown: only voxels 0, 1 and 4 tell about bodies."""
    scheme = scheme_from(
        {
            "numbers": {1: "vertebral_body", 2: "whole_vertebra", 3: "ignore"},
            "unlabelled": "background",
        },
        "mine",
    )
    found = dice(scheme, [1, 1, 2, 3, 0], [L.BODY, 0, L.BODY, L.BODY, 0])
    assert found["vertebral_body"] == pytest.approx(2 / 3)
    assert found["whole_vertebra"] == pytest.approx(2 * 2 / (3 + 2))


def test_an_unknown_number_is_refused():
    with pytest.raises(UnknownLabelError, match="found 77"):
        dice(read_scheme("spider_merged"), [77], [0])


def rows_of(**values):
    return [{"scan_id": scan, "structure": "disc", "dice": value} for scan, value in values.items()]


def test_two_models_are_compared_scan_by_scan_with_an_interval_over_participants():
    mine = rows_of(a1=0.9, a2=0.9, b=0.8, c=0.7, only_mine=0.1)
    theirs = rows_of(a1=0.8, a2=0.8, b=0.7, c=0.6)
    people = {"a1": "a", "a2": "a", "b": "b", "c": "c"}
    (row,) = compare_models(mine, theirs, people)
    assert row["scans"] == 4
    assert (row["metric"], row["participants"]) == ("dice", 3)
    assert row["mean"] == pytest.approx(0.825)
    # the same difference in every scan leaves nothing to chance
    for name in ("difference", "difference_low", "difference_high"):
        assert row[name] == pytest.approx(0.1)


def test_the_interval_is_that_of_people_not_of_scans():
    """Ten scans of one person and one of another: every sample is drawn from two people."""
    scans = {f"a{n}": 1.0 for n in range(10)} | {"b": 0.0}
    people = {name: name[0] for name in scans}
    (row,) = compare_models(rows_of(**scans), rows_of(**dict.fromkeys(scans, 0.0)), people)
    assert row["difference"] == pytest.approx(10 / 11)
    assert (row["difference_low"], row["difference_high"]) == (0.0, 1.0)
    assert compare_models(rows_of(**scans), rows_of(**dict.fromkeys(scans, 0.0)), people) == [row]


def test_a_test_of_six_people_who_all_gain():
    """Six differences of one sign: the two most extreme of 2 ** 6 orders of signs, p = 2 / 64."""
    mine = rows_of(**{name: 0.5 + 0.01 * n for n, name in enumerate("abcdef")})
    theirs = rows_of(**{name: 0.5 - 0.01 * n - 0.01 for n, name in enumerate("abcdef")})
    (row,) = compare_models(mine, theirs, {})
    assert row["wilcoxon_p"] == pytest.approx(2 / 64)
    (row,) = compare_models(mine, mine, {})
    assert row["wilcoxon_p"] is None, "nothing differs"


def test_two_scans_of_a_person_are_one_observation_of_the_test():
    names = [f"{who}{n}" for who in "abcdef" for n in range(2)]
    mine, theirs = rows_of(**dict.fromkeys(names, 0.9)), rows_of(**dict.fromkeys(names, 0.8))
    (row,) = compare_models(mine, theirs, {name: name[0] for name in names})
    assert (row["scans"], row["participants"]) == (12, 6)
    assert row["wilcoxon_p"] == pytest.approx(2 / 64)


def test_means_say_how_many_rows_they_are_of():
    rows = [
        {"scan_id": "a", "structure": "disc", "dice": 1.0, "assd_mm": 0.5},
        {"scan_id": "b", "structure": "disc", "dice": 0.0, "assd_mm": None},
    ]
    dice_mean, assd = means(rows, ("dice", "assd_mm"), {})
    assert (dice_mean["mean"], dice_mean["scored"], dice_mean["rows"]) == (0.5, 2, 2)
    assert (assd["mean"], assd["scored"], assd["rows"]) == (0.5, 1, 2)
    assert (dice_mean["low"], dice_mean["high"]) == (0.0, 1.0)


def test_the_mean_over_structures_is_one_value_per_scan():
    rows = [
        {"scan_id": "a", "structure": "disc", "dice": 1.0},
        {"scan_id": "a", "structure": "canal", "dice": 0.5},
        {"scan_id": "b", "structure": "disc", "dice": 0.2},
    ]
    assert [row["dice"] for row in over_structures(rows, ["dice"])] == [0.75, 0.2]
