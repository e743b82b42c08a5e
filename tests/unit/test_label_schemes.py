"""Label schemes: the ones that come with the software, and mistakes in a user's own."""

import numpy as np
import pytest

from wirbel.core import labels as L
from wirbel.core.label_schemes import ANYTHING, UnknownLabelError, is_inside, is_undecided
from wirbel.io.foreign.label_schemes import (
    OURS,
    SchemeError,
    read_scheme,
    scheme_from,
    scheme_names,
)

VERTEBRA = frozenset(L.VERTEBRA_SUBREGIONS)
CANAL = frozenset({L.CANAL, L.CORD})


def meaning(name: str, *numbers: int) -> list[frozenset[int]]:
    scheme = read_scheme(name)
    return [scheme.sets[place] for place in scheme.read(np.array(numbers))]


@pytest.mark.parametrize("name", scheme_names())
def test_every_shipped_scheme_explains_its_background_and_has_something_to_compare(name):
    scheme = read_scheme(name)
    assert 0 in scheme.structures[scheme.numbers[0]]
    assert scheme.compared
    assert all(labels <= ANYTHING for labels in scheme.sets)


@pytest.mark.parametrize(
    ("name", "vertebrae", "disc", "canal"),
    [
        ("spider", (1, 25, 101, 125), (201, 225), 100),
        ("spider_merged", (1,), (2,), 3),
    ],
)
def test_spider_numbers_are_unions(name, vertebrae, disc, canal):
    assert set(meaning(name, *vertebrae)) == {VERTEBRA}
    assert set(meaning(name, *disc)) == {frozenset({L.DISC})}
    assert meaning(name, canal) == [CANAL]
    (unlabelled,) = meaning(name, 0)
    assert {0, L.SACRUM, L.ENDPLATE} == unlabelled, "SPIDER leaves out the sacrum and the endplates"


def test_numbers_of_the_other_schemes():
    assert meaning("spineps", 26, 42, 51, 53, 60) == [
        OURS[name]
        for name in ("sacrum", "spinous_process", "vertebral_body", "endplate", "spinal_cord")
    ]
    assert meaning("totalspineseg", 1, 50, 100) == [
        OURS[name] for name in ("spinal_cord", "sacrum", "intervertebral_disc")
    ]
    whole = VERTEBRA | {L.ENDPLATE}
    assert meaning("totalspineseg", 17, 21, 45) == [whole] * 3  # C7, T1, L5
    assert meaning("totalsegmentator_ct", 27, 50, 79) == [whole, whole, OURS["spinal_cord"]]
    assert meaning("totalsegmentator_ct", 52) == [frozenset({0})], "the aorta is no part of a spine"
    assert meaning("totalsegmentator_mr", 18, 19, 20) == [
        OURS["sacrum"],
        whole,
        OURS["intervertebral_disc"],
    ]
    assert meaning("totalsegmentator_vertebrae_mr", 1, 25) == [OURS["sacrum"], whole]
    assert meaning("verse", 1, 28) == [whole, whole]
    assert L.CANAL in meaning("verse", 0)[0], "VerSe labels bone alone"


@pytest.mark.parametrize(
    ("name", "numbers", "levels"),
    [
        ("verse", (1, 8, 20, 25, 28, 26), ("C1", "T1", "L1", "L6", "T13", None)),
        ("totalsegmentator_ct", (27, 31, 32, 50, 79), ("L5", "L1", "T12", "C1", None)),
        ("totalsegmentator_vertebrae_mr", (1, 2, 25), (None, "L5", "C1")),
        (
            "totalspineseg",
            (11, 17, 21, 32, 41, 45, 63),
            ("C1", "C7", "T1", "T12", "L1", "L5", None),
        ),
        ("spider", (1, 5, 6, 106, 100), ("L5", "L1", "T12", "T12", None)),
        ("spider_merged", (1, 2, 3), (None, None, None)),
    ],
)
def test_numbers_that_stand_for_one_vertebra(name, numbers, levels):
    found = read_scheme(name).vertebra_map(np.array(numbers))
    assert [L.LEVEL_NAMES.get(int(label)) for label in found] == list(levels)


@pytest.mark.parametrize(
    ("name", "numbers", "above"),
    [
        ("spider", (201, 202, 206), ("L5", "L4", "T12")),
        ("totalspineseg", (63, 71, 82, 91, 100), ("C2", "C7", "T11", "T12", "L5")),
    ],
)
def test_numbers_that_stand_for_one_disc_are_named_after_the_vertebra_above(name, numbers, above):
    found = read_scheme(name).vertebra_map(np.array(numbers))
    assert [L.LEVEL_NAMES[int(label) - L.DISC_OFFSET] for label in found] == list(above)


def test_an_unknown_number_is_refused_by_name_and_number():
    with pytest.raises(UnknownLabelError, match=r"spider_merged.* found 7, 9; choose the scheme"):
        read_scheme("spider_merged").read(np.array([0, 1, 9, 7]))


def test_reading_keeps_the_shape_of_a_map():
    scheme = read_scheme("spider_merged")
    given = np.array([[[0, 1], [2, 3]], [[3, 3], [0, 1]]], np.uint8)
    places = scheme.read(given)
    assert places.shape == given.shape
    assert [scheme.sets[p] for p in places[0].ravel()] == meaning("spider_merged", 0, 1, 2, 3)


def test_what_a_label_says_about_a_structure():
    body = OURS["vertebral_body"]
    assert is_inside(body, VERTEBRA) and not is_undecided(body, VERTEBRA)
    assert is_undecided(VERTEBRA, body), "a vertebra's voxel may belong to its body or not"
    assert not is_inside(CANAL, body) and not is_undecided(CANAL, body)
    assert is_undecided(ANYTHING, body)


def test_a_users_own_scheme_is_read_from_its_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("numbers: {5-6: vertebral_body, 9: ignore}\nunlabelled: ignore\n")
    scheme = read_scheme(str(path))
    assert scheme.sets[scheme.read(np.array([6]))[0]] == OURS["vertebral_body"]
    assert scheme.sets[scheme.read(np.array([0]))[0]] == ANYTHING
    assert list(scheme.compared) == ["vertebral_body"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"numbers": {1: "sacrum"}}, "missing: unlabelled"),
        ({"numbers": {}, "unlabelled": "background", "colour": 1}, "unknown: colour"),
        ({"numbers": {1: "hip"}, "unlabelled": "background"}, "unknown 'hip'; known: background"),
        ({"numbers": {"3-1": "sacrum"}, "unlabelled": "ignore"}, "a range as 1-25, found 3-1"),
        ({"numbers": {1: "sacrum", "1-2": "sacrum"}, "unlabelled": "ignore"}, "1 is listed twice"),
        (
            {"numbers": {}, "unlabelled": "ignore", "vertebrae": {"1-9": "L1"}},
            "as in 20-24: L1 or 1-5: L5 upwards, found 1-9: L1",
        ),
        ([], "expected keys title"),
    ],
)
def test_mistakes_in_a_scheme_are_named(content, message):
    with pytest.raises(SchemeError, match=message):
        scheme_from(content, "mine")


def test_a_scheme_that_is_not_there_is_refused_with_the_known_names():
    with pytest.raises(SchemeError, match=r"label scheme spidr: expected one of fused, spider"):
        read_scheme("spidr")
