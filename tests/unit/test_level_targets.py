"""What a labelling network should answer about each vertebra, and how its answers are scored."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.labelling.level_evidence import EXACT_CLASSES, FEWEST_CLASSES
from wirbel.core.labels import ARCUS, BODY_BORDER, LEVEL_LABELS, SACRUM
from wirbel.learning.labelling.level_scores import accuracy, macro_f1
from wirbel.learning.labelling.level_targets import (
    HEAD_CLASSES,
    UNKNOWN,
    cut_off,
    level_targets,
    levels_in_view,
)


def targets(head: str, *names: str) -> dict[str, int]:
    """Return level -> class of one head; "S1" stands for a sacrum in view."""
    found = level_targets([LEVEL_LABELS[name] for name in names], set(), [head])
    return {name: found[LEVEL_LABELS[name]][0] for name in names if name != "S1"}


def test_heads_have_the_classes_that_naming_expects():
    for head, classes in HEAD_CLASSES.items():
        assert classes == EXACT_CLASSES.get(head, classes)
        assert classes >= FEWEST_CLASSES.get(head, 0)


def test_an_extra_vertebra_counts_as_a_second_t12_or_l5_where_it_has_no_class():
    spine = ("T12", "T13", "L1", "L5", "L6")
    assert targets("VERT", *spine) == {"T12": 18, "T13": 18, "L1": 19, "L5": 23, "L6": 23}
    assert targets("VERTEX", *spine) == {"T12": 18, "T13": 19, "L1": 20, "L5": 24, "L6": 25}
    assert targets("VERTGRP", *spine) == {"T12": 8, "T13": 8, "L1": 9, "L5": 11, "L6": 11}
    assert targets("VERTT13", *spine) == {"T12": 0, "T13": 1, "L1": 0, "L5": 0, "L6": 0}
    assert targets("REGION", "C7", *spine) == {
        **{"C7": 0, "T12": 1, "T13": 1},
        **{"L1": 2, "L5": 2, "L6": 2},
    }


@pytest.mark.parametrize(
    ("spine", "last"),
    [
        (("T11", "L1"), "T11"),
        (("T11", "T12", "L1"), "T12"),
        (("T11", "T12", "T13", "L1"), "T13"),
        (("L3", "L4", "S1"), "L4"),
        (("L3", "L4", "L5", "S1"), "L5"),
        (("L4", "L5", "L6", "S1"), "L6"),
    ],
)
def test_the_last_of_a_region_depends_on_the_person(spine, last):
    found = targets("VERTREL", *spine)
    of_region = {name: kind for name, kind in found.items() if name[0] == last[0]}
    assert of_region.pop(last) == {"T": 3, "L": 5}[last[0]]
    assert not any(of_region.values())


def test_the_first_ones_and_the_last_cervical_one_are_always_the_same():
    found = targets("VERTREL", "C6", "C7", "T1", "T2", "T12", "L1", "L2")
    assert found == {"C6": 0, "C7": 1, "T1": 2, "T2": 0, "T12": 3, "L1": 4, "L2": 0}


@pytest.mark.parametrize("lowest", ["T11", "T12", "L4", "L5"])
def test_whether_the_lowest_one_in_view_is_the_last_of_its_region_is_unknown(lowest):
    assert targets("VERTREL", lowest) == {lowest: UNKNOWN}
    assert targets("VERT", lowest)[lowest] != UNKNOWN


@pytest.mark.parametrize(("lowest", "known"), [("T13", 3), ("L6", 5), ("T10", 0), ("L3", 0)])
def test_of_others_it_is_known(lowest, known):
    assert targets("VERTREL", lowest) == {lowest: known}


def test_a_vertebra_is_cut_off_where_its_body_touches_the_border_in_the_sagittal_plane():
    """L1 touches the upper border, L3 only the lateral one; the arch of L2 touches the border behind."""
    vertebra, subregion = np.zeros((2, 10, 12, 4), np.uint8)
    for label, rows, slices in ((20, slice(0, 2), 1), (21, slice(4, 6), 1), (22, slice(8, 10), 0)):
        vertebra[3:6, rows, slices], subregion[3:6, rows, slices] = label, BODY_BORDER
    vertebra[6:, 4:6, 1], subregion[6:, 4:6, 1] = 21, ARCUS
    assert cut_off(vertebra, subregion) == {20}
    found = level_targets(levels_in_view(vertebra), {20}, ["FULLYVISIBLE"])
    assert found == {20: [0], 21: [1], 22: [1]}


def test_levels_in_view_stand_in_their_order_down_the_spine():
    """A T13 has the number 28; discs (100 and more) and endplates are no vertebrae."""
    assert levels_in_view(np.array([0, 26, 28, 20, 19, 119, 219])) == [19, 28, 20, SACRUM]
    assert levels_in_view(np.zeros(3, np.uint8)) == []
    assert level_targets([], set(), ["VERT"]) == {}


def test_scores_by_hand():
    """Two of three known answers are right; class 1 has F1 2/3, class 2 has 2/3, nothing else occurs."""
    found, true = np.array([1, 1, 2, 5]), np.array([1, 2, 2, UNKNOWN])
    assert accuracy(found, true) == pytest.approx(2 / 3)
    assert macro_f1(found, true) == pytest.approx(2 / 3)
    assert macro_f1(np.array([3, 1]), np.array([1, 1])) == pytest.approx((2 / 3 + 0) / 2)
    assert np.isnan(accuracy(found[3:], true[3:])) and np.isnan(macro_f1(found[3:], true[3:]))
