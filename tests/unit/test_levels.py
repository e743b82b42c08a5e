"""Naming of levels: from C2, from the sacrum, from both, from sizes, with gaps and variants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spines.rotations import rotation
from support.spines.spine_boxes import AFFINE, box_spine, counters

from wirbel.core.geometry import Volume, reorient
from wirbel.core.labels import (
    BODY_BORDER,
    COSTAL_LEFT,
    COSTAL_RIGHT,
    DISC,
    LEVEL_NAMES,
    SACRUM,
)
from wirbel.core.levels.naming import Levels, apply_levels, label_above_first, name_levels
from wirbel.core.merging.reconciliation import reconcile
from wirbel.core.pictures.lookups import vertebra_colours, vertebra_names

WHOLE = box_spine(range(2, 25))


def named(spine, without=()):
    """Name a box spine; vertebrae in `without` are erased from both maps first."""
    data, truth = spine.labels.data.copy(), counters(spine)
    erased = np.isin(spine.vertebra, without)
    data[erased] = 0
    numbers = np.unique(truth[~erased & (truth > 0)])
    lookup = np.zeros(256, np.uint8)
    lookup[numbers] = np.arange(1, len(numbers) + 1)
    labels = spine.labels.with_data(data)
    return name_levels(labels.with_data(lookup[np.where(erased, 0, truth)]), labels)


def test_a_whole_spine_is_named_from_both_ends():
    levels = named(WHOLE)
    assert levels.labels == tuple(range(2, 25))
    assert (levels.method, levels.agree, levels.flags) == ("both", True, ())
    assert levels.confidence > 0.95


def test_a_neck_is_counted_from_c2():
    levels = named(box_spine(range(2, 12), sacrum=False))
    assert (levels.labels, levels.method, levels.agree) == (tuple(range(2, 12)), "top", None)


def test_a_lower_back_is_anchored_at_the_sacrum():
    levels = named(box_spine(range(17, 25)))
    assert (levels.labels, levels.method, levels.agree) == (tuple(range(17, 25)), "sacrum", None)
    assert 0.8 < levels.confidence < 0.95


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [((*range(2, 25), 25), tuple(range(2, 26))), (range(2, 24), tuple(range(2, 24)))],
    ids=["six lumbar", "four lumbar"],
)
def test_one_too_many_or_too_few_is_flagged_and_counted_from_the_top(numbers, expected):
    levels = named(box_spine(numbers))
    assert levels.labels == expected
    assert (levels.method, levels.agree) == ("both", False)
    assert levels.flags == ("enumeration_anomaly",)


def test_without_costal_processes_an_extra_vertebra_may_be_thoracic():
    """With them L1 is known by its long, straight ones: only they tell a sixth lumbar from a thirteenth thoracic."""
    spine = box_spine((*range(2, 25), 25))
    bare = np.where(np.isin(spine.labels.data, (COSTAL_LEFT, COSTAL_RIGHT)), 0, spine.labels.data)
    known = named(spine)
    unsure = name_levels(
        spine.labels.with_data(counters(spine)), spine.labels.with_data(bare.astype(np.uint8))
    )
    assert unsure.labels == known.labels
    assert unsure.confidence < 0.9 < known.confidence


def test_three_too_few_are_called_implausible():
    levels = named(box_spine((*range(2, 12), *range(15, 25))))
    assert {"enumeration_anomaly", "enumeration_implausible"} & set(levels.flags)
    assert levels.confidence < 0.5


@pytest.mark.parametrize("missing", [4, 10, 16, 21, 23])
def test_a_missed_vertebra_leaves_its_number_out(missing):
    levels = named(WHOLE, without=(missing,))
    assert levels.labels == tuple(n for n in range(2, 25) if n != missing)
    assert levels.flags == ("gap",)
    assert levels.agree is True


def test_a_missed_l5_is_seen_from_the_distance_to_the_sacrum():
    levels = named(box_spine(range(18, 25)), without=(24,))
    assert levels.labels == tuple(range(18, 24))
    assert levels.flags == ("gap",)


def test_a_narrow_disc_and_a_crushed_body_are_no_gap():
    spine = box_spine(range(17, 25))
    data = spine.labels.data.copy()
    rows = np.flatnonzero(((spine.vertebra == 20) & (data == BODY_BORDER)).any((0, 2)))
    data[:, rows[0] : rows[14]][data[:, rows[0] : rows[14]] == BODY_BORDER] = 0
    labels = spine.labels.with_data(data)
    levels = name_levels(labels.with_data(np.where(data > 0, counters(spine), 0)), labels)
    assert (levels.labels, levels.flags) == (tuple(range(17, 25)), ())


@pytest.mark.parametrize("first", [3, 9, 14, 19])
def test_without_landmark_sizes_tell_roughly_where_we_are(first):
    numbers = range(first, min(first + 7, 24))
    levels = named(box_spine(numbers, sacrum=False, cord=first < 15))
    assert levels.method == "estimated"
    assert levels.confidence <= 0.6
    assert abs(levels.labels[0] - first) <= 2
    assert np.all(np.diff(levels.labels) == 1)


def with_tip_of_sacrum(spine, volume_mm3):
    """Return (instances, labels) of a spine with a small piece called sacrum below the last vertebra."""
    data, truth = spine.labels.data.copy(), counters(spine)
    bottom = np.argwhere((data == BODY_BORDER).any((0, 2)))[-1, 0]
    front, middle = (int(x) for x in np.argwhere(data[:, bottom] == BODY_BORDER).mean(0))
    edge = round((volume_mm3 / 8) ** 0.5 / 2)
    tip = np.s_[
        front - edge : front + edge, bottom + 3 : bottom + 11, middle - edge : middle + edge
    ]
    data[tip], truth[tip] = SACRUM, SACRUM
    labels = spine.labels.with_data(data)
    return labels.with_data(truth), labels


@pytest.mark.parametrize("first", [2, 4], ids=["c2 in view", "from sizes"])
def test_a_small_piece_called_sacrum_below_the_neck_is_none(first):
    """Here a vertebra that the border cuts off was taken for one: nothing is counted from it, and it is dropped."""
    neck = box_spine(range(first, 12), sacrum=False)
    levels = name_levels(*with_tip_of_sacrum(neck, 4000))
    plain = named(neck)
    assert levels.labels == plain.labels
    assert levels.method == plain.method != "sacrum"
    assert levels.flags == ("no_sacrum",)
    assert apply_levels(np.array([SACRUM, 1], np.uint8), levels).tolist() == [0, levels.labels[0]]


def test_a_tip_of_the_sacrum_below_the_lower_back_is_counted_from():
    levels = name_levels(*with_tip_of_sacrum(box_spine(range(19, 25), sacrum=False), 4000))
    assert (levels.labels, levels.method, levels.flags) == (tuple(range(19, 25)), "sacrum", ())
    assert apply_levels(np.array([SACRUM], np.uint8), levels).tolist() == [SACRUM]


def test_the_last_of_more_vertebrae_than_labels_is_taken_for_s1():
    levels = named(box_spine((*range(2, 26), 28)))
    assert levels.labels == (*range(2, 26), SACRUM)
    assert {"sacral_body", "enumeration_anomaly"} <= set(levels.flags)
    assert levels.confidence < 0.7


def test_a_map_without_bodies_has_no_levels():
    empty = Volume(np.zeros((4, 4, 4), np.uint8), AFFINE)
    assert name_levels(empty, empty) == Levels((), 0.0, "estimated", None, ())


def test_labels_replace_counters_in_all_three_ranges():
    counters_map = np.array([[[1, 2, 101, 102, 201, 26, 226, 100, 200, 0]]], np.uint8)
    levels = Levels((20, 22), 0.5, "sacrum", None, ("gap",))
    out = apply_levels(counters_map, levels)
    assert out.ravel().tolist() == [20, 22, 120, 122, 220, 26, 226, 119, 219, 0]
    assert label_above_first(levels) == 19


def test_the_disc_below_a_missed_vertebra_keeps_that_vertebras_number():
    spine = box_spine(range(18, 25))
    labels, truth = spine.labels.data.copy(), counters(spine)
    labels[spine.vertebra == 21] = 0
    truth = np.where(truth > 4, truth - 1, np.where(truth == 4, 0, truth)).astype(np.uint8)
    labels = spine.labels.with_data(labels)
    subregion, vertebra = reconcile(labels, truth)
    levels = name_levels(labels.with_data(vertebra), labels.with_data(subregion))
    named_map = apply_levels(vertebra, levels)
    for number in (120, 121, 122):
        own = (spine.vertebra == number) & (subregion == DISC)
        assert own.any() and (named_map[own] == number).all()


@settings(max_examples=6, deadline=None)
@given(
    st.sampled_from([("P", "I", "L"), ("R", "A", "S"), ("S", "P", "R"), ("I", "L", "A")]),
    st.tuples(st.floats(-0.2, 0.2), st.floats(-0.15, 0.15), st.floats(-0.2, 0.2)),
)
def test_storage_order_handedness_and_obliqueness_do_not_matter(axes, turn):
    spine = box_spine(range(2, 10), sacrum=False)
    labels = reorient(spine.labels, axes)
    instances = reorient(spine.labels.with_data(counters(spine)), axes)
    affine = rotation(turn) @ labels.affine
    levels = name_levels(Volume(instances.data, affine), Volume(labels.data, affine))
    assert (levels.labels, levels.method) == (tuple(range(2, 10)), "top")


def test_every_number_of_the_vertebra_map_has_a_name_and_a_colour_of_its_own():
    names, colours = vertebra_names(), vertebra_colours()
    assert set(names) == set(colours) and len(names) == 3 * len(LEVEL_NAMES) + 1
    assert len(set(names.values())) == len(names)
    assert len(set(colours.values())) == len(colours)


def test_a_sacrum_too_far_below_costs_no_vertebra_its_name():
    """What was taken for a sacrum half a metre below L5 leaves no room for the vertebrae above it."""
    spine, lower = box_spine(range(6, 25)), 500
    data = np.pad(spine.labels.data, ((0, 0), (0, lower), (0, 0)))
    truth = np.pad(counters(spine), ((0, 0), (0, lower), (0, 0)))
    for there, sacrum in ((data, data == SACRUM), (truth, truth == SACRUM)):
        there[sacrum] = 0
        there[np.roll(sacrum, lower, axis=1)] = SACRUM
    levels = name_levels(Volume(truth, AFFINE), Volume(data, AFFINE))
    assert levels.labels == tuple(range(levels.labels[0], levels.labels[0] + 19))
    assert abs(levels.labels[0] - 6) <= 2
    assert levels.flags == ("enumeration_implausible", "no_sacrum")
    assert levels.confidence <= 0.3
