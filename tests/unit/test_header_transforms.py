"""Headers that say two things: which counts, what is noted, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from wirbel.core.preparation.header_transforms import Stated, choose
from wirbel.errors import ScanError

SHAPE = (17, 300, 300)
SIZES = np.array([3.3, 0.9, 0.9])
SFORM = np.diag([*SIZES, 1.0])
SFORM[:3, 3] = -28, -135, -135
AGREEING = Stated(SFORM, SFORM, SIZES)


def turned(degrees: float, by_mm=(0, 0, 0)) -> np.ndarray:
    """The same grid turned about the origin and moved."""
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("x", degrees, degrees=True).as_matrix()
    turn[:3, 3] = by_mm
    return turn @ SFORM


def refused(stated: Stated) -> ScanError:
    with pytest.raises(ScanError, match="sub-1_T2w.nii") as caught:
        choose(stated, SHAPE, "sub-1_T2w.nii")
    return caught.value


def test_a_header_that_agrees_with_itself_has_no_notes():
    affine, notes = choose(AGREEING, SHAPE, "a")
    np.testing.assert_array_equal(affine, SFORM)
    assert notes == ()


def test_the_sform_counts_where_it_has_a_code_and_else_the_qform():
    other = turned(13)
    np.testing.assert_array_equal(choose(replace(AGREEING, qform=other), SHAPE, "a")[0], SFORM)
    affine, notes = choose(Stated(None, other, SIZES), SHAPE, "a")
    np.testing.assert_array_equal(affine, other)
    assert notes == ()


@pytest.mark.parametrize(
    ("qform", "words"),
    [
        (turned(0, (0, 30, 40)), "up to 50 mm apart"),  # 3, 4, 5
        (turned(13), "up to 4. mm apart"),
        (np.diag([-1.0, 1, 1, 1]) @ SFORM, "mirror image"),
        (np.full((4, 4), np.nan), "quaternion is not a rotation"),
    ],
)
def test_transforms_that_disagree_are_noted_in_words(qform, words):
    affine, (note,) = choose(replace(AGREEING, qform=qform), SHAPE, "a")
    np.testing.assert_array_equal(affine, SFORM)
    if "4." in words:  # the corner furthest from the axis is 191 mm away: 2 sin(13 / 2 deg) * 191
        words = words.replace("4.", "43")
    assert words in note.sentence


def test_rounding_in_a_quaternion_is_no_disagreement():
    assert choose(replace(AGREEING, qform=turned(0.05)), SHAPE, "a")[1] == ()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("factor", [0.3, 0.979, 1.021, 3.0])
def test_voxel_sizes_that_differ_by_more_than_2_percent_are_refused(axis, factor):
    sizes = SIZES.copy()
    sizes[axis] *= factor
    error = refused(replace(AGREEING, sizes_mm=sizes, qform=None))
    assert error.reason == "header_conflict"
    assert "3.3 x 0.9 x 0.9 mm against" in error.detail


def test_a_small_difference_of_voxel_sizes_is_noted():
    _, (note,) = choose(Stated(SFORM, None, SIZES * 0.99), SHAPE, "a")
    assert "differ by 1.0 %" in note.sentence


def test_a_pixdim_of_zero_says_nothing_and_cannot_contradict():
    assert choose(Stated(SFORM, None, np.zeros(3)), SHAPE, "a")[1] == ()


def test_a_unit_other_than_millimetres_is_noted():
    assert "metres" in choose(replace(AGREEING, unit=1), SHAPE, "a")[1][0].sentence
    assert choose(replace(AGREEING, unit=0), SHAPE, "a")[1] == ()


def test_a_qform_without_handedness_is_noted_where_it_counts():
    assert "left and right" in choose(Stated(None, SFORM, SIZES, hand=0), SHAPE, "a")[1][0].sentence
    assert choose(replace(AGREEING, hand=0), SHAPE, "a")[1] == ()


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        (Stated(None, None, SIZES), "neither sform nor qform"),
        (Stated(None, SFORM, np.zeros(3)), "voxel sizes of zero"),
        (Stated(None, np.full((4, 4), np.nan), SIZES), "impossible qform"),
    ],
)
def test_without_any_usable_transform_the_scan_is_refused(stated, words):
    error = refused(stated)
    assert error.reason == "bad_geometry"
    assert words in error.detail


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        (replace(AGREEING, unit=1), "unit_not_mm"),
        (Stated(None, SFORM, SIZES, hand=0), "laterality_unknown"),
        (replace(AGREEING, qform=np.diag([-1.0, 1, 1, 1]) @ SFORM), "laterality_unknown"),
        (replace(AGREEING, qform=turned(20)), "header_conflict"),
    ],
)
def test_each_doubt_has_a_code(stated, code):
    assert [note.code for note in choose(stated, SHAPE, "a")[1]] == [code]
