"""Fusion of annotations on a handful of voxels, where the right answer can be read off."""

import numpy as np
import pytest

from wirbel.core import labels as L
from wirbel.core.fusion.agreement import ALL, worth_correcting
from wirbel.core.fusion.combining import Ways
from wirbel.core.fusion.fuse import IGNORE, fuse
from wirbel.core.fusion.instances import fuse_instances
from wirbel.core.fusion.rules import CORD_IN_CANAL, SECOND_BODY, STRAY_PART, forbidden
from wirbel.core.fusion.statements import CLASSES, Source, statements_of
from wirbel.core.fusion.surfaces import border_variances, signed_distance_mm
from wirbel.core.geometry import Grid, Volume
from wirbel.core.label_schemes import UnknownLabelError
from wirbel.io.foreign.label_schemes import read_scheme, scheme_from

DISC, ARCUS, SPINOUS, BODY, CANAL, CORD = (
    L.DISC,
    L.ARCUS,
    L.SPINOUS_PROCESS,
    L.BODY_BORDER,
    L.CANAL,
    L.CORD,
)
LINE = np.eye(4)
DOWN = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
"""The second axis runs down."""


def line(*numbers):
    """Return a row of 1 mm voxels."""
    return Volume(np.array(numbers, np.uint8).reshape(1, 1, -1), LINE)


def ours(name, *numbers, **trust):
    by_label = {L_BY_NAME[key]: weight for key, weight in trust.items()}
    return Source(name, line(*numbers), read_scheme("spineps"), by_label)


L_BY_NAME = {"disc": DISC, "cord": CORD, "canal": CANAL, "arcus": ARCUS}


def spider(name, *numbers):
    return Source(name, line(*numbers), read_scheme("spider_merged"))


def fused(*sources, **ways):
    ways = {"method": "vote"} | ways
    return fuse(sources, sources[0].numbers.grid, Ways(**ways))


def told(volume):
    return volume.data.ravel().tolist()


def test_two_of_three_decide_and_one_of_two_does_not():
    three = fused(ours("a", DISC, DISC, 0), ours("b", DISC, 0, 0), ours("c", DISC, DISC, DISC))
    assert told(three.subregion) == [DISC, DISC, 0]
    assert told(three.training) == [DISC, DISC, 0]
    assert told(three.disagreement) == pytest.approx([0, 1 / 3, 1 / 3])
    two = fused(ours("a", DISC, DISC), ours("b", DISC, 0))
    assert told(two.training) == [DISC, IGNORE], "one against one"
    assert told(two.disagreement) == [0, 0.5]


def test_trust_is_per_structure_and_counts_for_yes_and_no():
    """The first source knows discs, not canals: it outvotes two others in discs, both where it says yes and no."""
    expert = ours("a", DISC, 0, 0, CANAL, disc=3, canal=0.5)
    others = [ours(name, 0, DISC, CANAL, 0) for name in "bc"]
    assert told(fused(expert, *others).subregion) == [DISC, 0, CANAL, 0]


def test_a_source_without_any_trust_in_a_structure_says_nothing_about_it():
    blind = ours("a", 0, CORD, DISC, cord=0)
    other = ours("b", CORD, 0, 0)
    result = fused(blind, other)
    assert told(result.subregion)[:2] == [CORD, 0]
    assert told(result.disagreement)[:2] == [0, 0], "nobody contradicts the other source"
    assert told(result.training)[2] == IGNORE


def test_priority_takes_the_first_source_that_knows():
    """SPIDER does not know whether its background is an endplate; where it knows, it comes first."""
    first = spider("a", 2, 0, 3)
    second = ours("b", 0, L.ENDPLATE, 0)
    result = fused(first, second, method="priority")
    assert told(result.subregion)[:2] == [DISC, L.ENDPLATE]


def test_every_structure_may_have_a_method_of_its_own():
    sources = [ours("a", DISC, CORD), ours("b", 0, 0), ours("c", 0, 0)]
    assert told(fused(*sources).subregion) == [0, 0]
    assert told(fused(*sources, methods={CORD: "priority"}).subregion) == [0, CORD]


def test_a_union_takes_its_parts_from_the_source_that_tells_them_apart():
    union = spider("a", 1, 1, 1, 0)
    parts = ours("b", SPINOUS, ARCUS, 0, 0)
    result = fused(union, union, parts)
    assert told(result.subregion) == [SPINOUS, ARCUS, ARCUS, 0], "the third from its neighbour"
    assert told(result.disagreement) == pytest.approx([0, 0, 1 / 3, 0])


def test_staple_does_not_take_one_part_for_another_that_no_source_names():
    """All voxels of the arch are named by one source and allowed by the other: nothing speaks for the larger body."""
    both = [ARCUS] * 20 + [BODY] * 600
    union = [1] * 620
    result = fused(spider("a", *union), ours("b", *both), method="staple")
    assert told(result.subregion) == both


def test_unions_that_nobody_tells_apart_are_left_out_of_the_training():
    result = fused(spider("a", 1, 3, 0), spider("b", 1, 3, 0))
    assert told(result.training) == [IGNORE, IGNORE, 0]
    assert told(result.subregion) == [BODY, CANAL, 0]


def test_an_unlabelled_voxel_of_a_partial_scheme_is_background_unless_somebody_else_says_more():
    result = fused(spider("a", 0, 0, 0), ours("b", L.SACRUM, DISC, 0))
    assert told(result.subregion)[0] == L.SACRUM, "SPIDER does not label the sacrum"
    assert told(result.training)[1] == IGNORE, "but it does label discs"
    assert told(fused(spider("a", 0)).subregion) == [0]


def test_outside_its_field_of_view_a_source_says_nothing():
    short = Source("a", Volume(line(DISC, DISC).data, LINE), read_scheme("spineps"))
    long = ours("b", DISC, 0, 0, DISC, DISC, DISC)
    result = fuse([short, long], long.numbers.grid, Ways("vote"))
    assert told(result.subregion)[3:] == [DISC] * 3
    assert told(result.disagreement)[3:] == [0, 0, 0]


def test_a_source_in_another_storage_order_and_voxel_size_says_the_same():
    """The same slab of 4 mm at 1 mm from left to right, and at 2 mm from right to left."""
    fine = np.zeros((12, 4, 4), np.uint8)
    fine[4:8] = DISC
    coarse = np.zeros((4, 4, 6), np.uint8)
    coarse[:, :, 2:4] = DISC
    affine = np.array([[0, 0, -2, 10.5], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    scheme = read_scheme("spineps")
    said = [
        statements_of(Source(name, volume, scheme), Grid(fine.shape, LINE))
        for name, volume in (("a", Volume(fine, LINE)), ("b", Volume(coarse, affine)))
    ]
    assert said[0].sets == said[1].sets
    inside = slice(2, -2)
    assert np.array_equal(said[0].places[inside], said[1].places[inside])


def test_an_unknown_number_names_the_source():
    with pytest.raises(UnknownLabelError, match="tool: label scheme spider_merged.* found 9"):
        statements_of(spider("tool", 9), line(0).grid)


def test_staple_finds_out_which_source_is_right():
    """One source misses 2 %, two miss 30 %. A vote follows the two, STAPLE the one.

    The voxels are so small that no structure is thick enough to average borders.
    """
    rng = np.random.default_rng(1)
    truth = np.repeat([0, DISC, 0, CANAL, 0, BODY], 500).astype(np.uint8)
    scheme = read_scheme("spineps")
    sources = []
    for name, wrong in (("a", 0.3), ("b", 0.02), ("c", 0.3)):
        said = np.where(rng.random(truth.size) < wrong, 0, truth)
        sources.append(
            Source(name, Volume(said.reshape(30, 100, 1), np.diag([0.1, 0.1, 0.1, 1.0])), scheme)
        )
    right = {
        method: (fused(*sources, method=method).subregion.data.ravel() == truth).mean()
        for method in ("vote", "staple")
    }
    assert right["vote"] < 0.96 and right["staple"] > 0.985


def test_how_exact_borders_are_follows_from_the_differences_of_each_two():
    """Borders at 20 mm, displaced line by line with standard deviations of 0.4, 0.7 and 1 mm."""
    rng = np.random.default_rng(2)
    along = np.arange(40)[None, None, :]
    distances = [
        np.clip(20 + rng.normal(0, sd, (60, 60, 1)) - along, -5, 5) for sd in (0.4, 0.7, 1.0)
    ]
    found = border_variances(distances, [np.ones((60, 60, 40), bool)] * 3, 1.0)
    assert np.sqrt(found) == pytest.approx([0.4, 0.7, 1.0], abs=0.1)


def test_the_signed_distance_is_measured_from_half_way_between_inside_and_outside():
    mask = np.array([[[0, 0, 1, 1, 1, 0]]], bool)
    assert signed_distance_mm(mask, np.ones(3)).ravel().tolist() == [
        -1.5,
        -0.5,
        0.5,
        1.5,
        0.5,
        -0.5,
    ]


def test_vertebrae_are_matched_by_place_and_named_by_the_majority():
    """Two sources say L1 and L2; the third is a level off and has one vertebra more, further down."""
    two = np.repeat([20, 21, 0], 4).reshape(1, 12, 1)
    three = np.repeat([19, 20, 21], 4).reshape(1, 12, 1)
    bone = np.ones((1, 12, 1), bool)
    found = fuse_instances([three, two, two], [1.0, 1.0, 1.0], bone, DOWN)
    assert found.numbers.ravel().tolist() == [1] * 4 + [2] * 4 + [3] * 4
    assert found.labels == (20, 21, 22)
    assert found.agreement[:2] == pytest.approx((2 / 3, 2 / 3))


def test_the_names_of_the_most_trusted_source_win():
    lower = np.repeat([20, 21], 4).reshape(1, 8, 1)
    upper = np.repeat([19, 20], 4).reshape(1, 8, 1)
    bone = np.ones((1, 8, 1), bool)
    assert fuse_instances([lower, upper], [1.0, 2.0], bone, DOWN).labels == (19, 20)
    assert fuse_instances([lower * 0, upper * 0], [1.0, 2.0], bone, DOWN) is None


def test_t13_stands_between_t12_and_l1():
    spine = np.repeat([19, 28, 20], 3).reshape(1, 9, 1)
    found = fuse_instances([spine, spine], [1.0, 1.0], np.ones((1, 9, 1), bool), DOWN)
    assert found.labels == (19, 28, 20)


def test_a_vertebra_that_the_others_lack_is_named_by_counting_on():
    """The second source is a level off, but has the two lowest ones."""
    first = np.repeat([19, 20, 0, 0], 3).reshape(1, 12, 1)
    second = np.repeat([0, 21, 22, 23], 3).reshape(1, 12, 1)
    bone = np.ones((1, 12, 1), bool)
    assert fuse_instances([first, second], [2.0, 1.0], bone, DOWN).labels == (19, 20, 21, 22)


def test_pieces_without_room_for_a_name_join_the_nearest_vertebra():
    """The second source calls what lies between L1 and L2 a vertebra, and numbers from the bottom up: all wrong."""
    first = np.repeat([20, 20, 21, 21], 3).reshape(1, 12, 1)
    second = np.repeat([24, 0, 0, 23], 3).reshape(1, 12, 1)
    second[0, 5:7] = 22
    found = fuse_instances([first, second], [1.0, 1.0], np.ones((1, 12, 1), bool), DOWN)
    assert found.labels == (20, 21)
    assert found.numbers.ravel().tolist() == [1] * 6 + [2] * 6


def test_a_cord_without_canal_beside_it_breaks_a_rule():
    labels = line(CANAL, CORD, CANAL, 0, 0, CORD)
    (mask,) = forbidden(labels, None).values()
    assert mask.ravel().tolist() == [False] * 5 + [True]
    assert not forbidden(line(CORD, 0), None)[CORD_IN_CANAL].any(), "no canal was segmented at all"


def test_the_smaller_of_two_bodies_and_a_part_far_from_its_vertebra_break_rules():
    labels = line(BODY, BODY, BODY, ARCUS, 0, BODY, *[0] * 8, SPINOUS)
    labels = Volume(labels.data, np.diag([4.0, 4.0, 4.0, 1.0]))
    numbers = np.where(labels.data > 0, 1, 0)
    broken = forbidden(labels, numbers)
    assert np.flatnonzero(broken[SECOND_BODY]).tolist() == [5]
    assert np.flatnonzero(broken[STRAY_PART]).tolist() == [14]


def test_what_breaks_a_rule_is_taken_away_and_not_trained_with():
    stray = [CANAL, CORD, CANAL, 0, 0, CORD]
    result = fused(ours("a", *stray), ours("b", *stray))
    assert told(result.subregion) == [CANAL, CORD, CANAL, 0, 0, 0]
    assert told(result.training) == [CANAL, CORD, CANAL, 0, 0, IGNORE]
    assert result.broken[CORD_IN_CANAL] == 1


def test_the_agreement_table_has_a_row_per_structure_and_source():
    result = fused(ours("a", DISC, DISC, 0), ours("b", DISC, 0, 0), ours("c", DISC, DISC, 0))
    rows = {row["source"]: row for row in result.rows if row["structure"] == "intervertebral_disc"}
    assert rows["a"]["dice"] == 1.0
    assert rows["b"]["dice"] == pytest.approx(2 / 3)
    assert rows[ALL]["dice"] == pytest.approx((1 + 2 / 3 + 1) / 3) and rows[ALL]["sources"] == 3


def test_a_union_takes_part_in_the_agreement_about_the_whole_not_about_the_parts():
    result = fused(spider("a", 1, 1), ours("b", ARCUS, ARCUS))
    found = [(row["structure"], row["source"]) for row in result.rows]
    assert found == [
        ("arcus_vertebrae", "b"),
        ("arcus_vertebrae", ALL),
        ("whole_vertebra", "a"),
        ("whole_vertebra", "b"),
        ("whole_vertebra", ALL),
    ]


def rows_of(scan, **structures):
    return [
        {"scan_id": scan, "structure": name, "source": ALL, "dice": value, "sources": 2}
        for name, value in structures.items()
    ]


def test_scans_in_which_sources_agree_least_are_to_be_corrected_first():
    rows = rows_of("a", disc=0.9, canal=0.9) + rows_of("b", disc=0.5, canal=0.9)
    rows += rows_of("c", disc=0.1, canal=0.1)
    listed = worth_correcting(rows, {"a": False, "b": False, "c": True})
    assert [(row["rank"], row["scan_id"]) for row in listed] == [(1, "b"), (2, "a"), (None, "c")]
    assert (listed[0]["worst_structure"], listed[0]["agreement"]) == ("disc", 0.7)


def test_classes_are_ours_without_the_second_number_of_the_body():
    assert set(CLASSES) == {0, *L.SUBREGION_NAMES} - {L.BODY}
    both = scheme_from({"numbers": {1: "vertebral_body"}, "unlabelled": "background"}, "mine")
    said = statements_of(Source("a", line(1, 0), both), line(0, 0).grid)
    assert {L.BODY_BORDER} in said.sets
