"""What a scan must be to be let in: each refusal names its reason, the file and what was found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from wirbel.core.geometry import Volume, reorient
from wirbel.core.preparation.intake import check_scan, check_shape, largest_shear_deg, scan_doubts
from wirbel.errors import ScanError

NAME = "sub-01_T2w.nii.gz"


def scan(shape=(80, 90, 15), spacing_mm=(1.0, 1.0, 3.3), dtype=np.int16) -> Volume:
    """A P-I-R stack of sagittal slices that differ from voxel to voxel."""
    data = (np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype)
    posterior, inferior, right = [0, -1, 0], [0, 0, -1], [1, 0, 0]
    affine = np.eye(4)
    affine[:3, :3] = np.array([posterior, inferior, right]).T * spacing_mm
    return Volume(data, affine)


def refusal(volume: Volume) -> ScanError:
    with pytest.raises(ScanError) as caught:
        check_scan(volume, NAME)
    assert NAME in caught.value.detail, "the sentence must name the file"
    return caught.value


def test_a_usual_sagittal_scan_comes_back_as_it_is():
    volume = scan()
    checked = check_scan(volume, NAME)
    np.testing.assert_array_equal(checked.data, volume.data)
    assert checked.data.dtype == np.int16


ORIENTATIONS = [("P", "I", "R"), ("L", "A", "S"), ("R", "A", "S"), ("S", "L", "P"), ("A", "S", "L")]


@pytest.mark.parametrize("axes", ORIENTATIONS, ids="".join)
def test_sagittal_slices_pass_however_they_are_stored(axes):
    assert check_scan(reorient(scan(), axes), NAME).axes == axes


@pytest.mark.parametrize(
    ("spacing_mm", "plane"), [((1.0, 7.5, 0.7), "axial"), ((4.0, 0.9, 0.9), "coronal")]
)
def test_thick_slices_in_another_plane_are_refused_and_the_plane_is_named(spacing_mm, plane):
    error = refusal(scan((90, 90, 90), spacing_mm))
    assert error.reason == "not_sagittal"
    assert f"found {plane} slices" in error.detail


def test_a_scan_that_resolves_discs_passes_in_any_plane():
    check_scan(scan((70, 140, 70), (1.0, 2.0, 1.0)), NAME)  # axial slices of 2 mm, as in a template


@given(st.sampled_from("xyz"), st.integers(-40, 40))
def test_a_tilted_sagittal_scan_passes_up_to_forty_degrees(axis, degrees):
    volume = scan((60, 60, 12))
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    check_scan(Volume(volume.data, turn @ volume.affine), NAME)


def test_one_volume_in_a_fourth_axis_is_taken_as_three_dimensional():
    volume = scan()
    checked = check_scan(Volume(volume.data[..., None], volume.affine), NAME)
    assert checked.data.shape == (80, 90, 15)


@pytest.mark.parametrize("shape", [(80, 90, 15, 2), (80, 90), (7,)])
def test_other_numbers_of_dimensions_are_refused(shape):
    assert refusal(Volume(np.ones(shape), np.eye(4))).reason == "not_3d"


def test_a_header_that_claims_a_terabyte_is_refused_before_reading():
    with pytest.raises(ScanError, match="30000 x 30000 x 30000") as caught:
        check_shape((30000, 30000, 30000), NAME)
    assert caught.value.reason == "unreadable"


def test_an_axis_of_length_zero_is_refused():
    with pytest.raises(ScanError, match="at least one voxel"):
        check_shape((80, 0, 15), NAME)


@pytest.mark.parametrize("dtype", [np.complex64, [("R", "u1"), ("G", "u1"), ("B", "u1")]])
def test_complex_and_colour_images_are_refused(dtype):
    assert refusal(Volume(np.zeros((80, 90, 15), dtype), np.eye(4))).reason == "unreadable"


def broken_affine(kind: str) -> np.ndarray:
    affine = scan().affine.copy()
    if kind == "nan":
        affine[0, 0] = np.nan
    elif kind == "flat":
        affine[:3, 0] = affine[:3, 1]
    elif kind == "zero":
        affine[:3, 2] = 0
    elif kind == "metres":
        affine[:3] /= 1000
    elif kind == "coarse":
        affine[:3, :3] *= 5
    elif kind == "sheared":
        affine[:3, 0] += 0.5 * affine[:3, 1]
    return affine


@pytest.mark.parametrize("kind", ["nan", "flat", "zero", "metres", "coarse", "sheared"])
def test_an_impossible_affine_is_refused(kind):
    assert refusal(Volume(scan().data, broken_affine(kind))).reason == "bad_geometry"


def test_shear_is_the_departure_from_a_right_angle():
    affine = np.eye(4)
    affine[0, 1] = np.tan(np.radians(6))
    assert largest_shear_deg(affine) == pytest.approx(6)
    assert largest_shear_deg(scan().affine) == pytest.approx(0)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((80, 30, 15), "at least 40 mm inferior-superior, found 30.0 mm"),
        ((25, 90, 15), "at least 30 mm anterior-posterior"),
        ((80, 90, 2), "at least 8 mm left-right"),
    ],
)
def test_a_field_of_view_without_room_for_a_vertebra_is_refused(shape, words):
    error = refusal(scan(shape))
    assert error.reason == "too_small"
    assert words in error.detail


def test_two_thick_slices_are_too_few():
    assert "at least 3 sagittal slices" in refusal(scan((80, 90, 2), (1, 1, 5))).detail


def test_nan_and_infinity_become_the_darkest_value():
    volume = scan(dtype=np.float32)
    volume.data[0, 0, :3] = np.nan, np.inf, -np.inf
    checked = check_scan(volume, NAME)
    np.testing.assert_array_equal(checked.data[0, 0, :4], [0, 0, 0, 3])


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0])
def test_a_blank_image_is_refused(value):
    data = np.full((80, 90, 15), value, np.float32)
    assert refusal(Volume(data, scan().affine)).reason == "bad_intensities"


def test_one_bright_voxel_does_not_make_an_image():
    volume = scan()
    volume.data[:] = 0
    volume.data[40, 40, 7] = 1000
    assert refusal(volume).reason == "bad_intensities"


def test_a_label_map_in_place_of_an_image_is_refused():
    volume = scan()
    error = refusal(volume.with_data(volume.data % 4))
    assert "4 distinct values" in error.detail


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1)])
def test_an_identity_affine_means_that_voxel_sizes_were_lost(signs):
    """Nifti1Image(data, eye(4)), and what ITK writes of an image without a header: no scanner's origin is 0, 0, 0."""
    volume = scan((60, 90, 80), (1.0, 1.0, 1.0))
    error = refusal(Volume(volume.data, np.diag([*signs, 1.0])))
    assert error.reason == "header_conflict"
    assert "identity affine" in error.detail


def test_millimetre_voxels_with_a_scanners_origin_pass():
    volume = scan((60, 90, 80), (1.0, 1.0, 1.0))
    affine = np.eye(4)
    affine[:3, 3] = -30.0, -45.0, 12.5
    check_scan(Volume(volume.data, affine), NAME)


def test_a_field_of_view_larger_than_two_people_is_refused_before_a_model_grid_is_made_of_it():
    data = np.broadcast_to(np.int16(1), (800, 800, 60))  # 2 m x 2 m x 0.6 m
    error = refusal(Volume(data, np.diag([2.5, 2.5, 10.0, 1])[[2, 0, 1, 3]]))
    assert error.reason == "bad_geometry"
    assert "at most 200 litres, found 2400" in error.detail


@pytest.mark.parametrize(("others", "blank"), [(79, True), (120, False)])
@pytest.mark.parametrize("place", ["spread", "together"])
def test_blank_is_what_holds_one_value_in_999_of_1000_voxels(others, blank, place):
    volume = scan((80, 100, 10), (1.0, 1.0, 3.3))
    data = np.full(volume.data.shape, 7, np.int16)
    where = slice(0, others) if place == "together" else slice(0, others * 100, 100)
    data.reshape(-1)[where] = 100 + np.arange(others)
    if blank:
        assert "the intensity 7 in 99.9" in refusal(volume.with_data(data)).detail
    else:
        check_scan(volume.with_data(data), NAME)


def test_a_few_absurd_voxels_do_not_decide_the_range_that_networks_see():
    volume = scan(dtype=np.float32)
    data = volume.data.copy()
    data[:8, :8, :7] = 1e6  # 0.4 %
    assert check_scan(volume.with_data(data), NAME).data.max() == volume.data.max()


def test_a_fault_that_is_accepted_is_only_a_doubt():
    short = scan((4, 140, 2), (1.0, 2.0, 1.0))
    with pytest.raises(ScanError, match="too_small"):
        check_scan(short, NAME)
    check_scan(short, NAME, accepted=("too_small", "not_sagittal", "bad_intensities"))
    assert "too_small" in scan_doubts(short)
    assert scan_doubts(scan()) == ()


def test_a_blank_image_that_is_accepted_stays_finite():
    blank = scan()
    blank = blank.with_data(np.full(blank.data.shape, np.nan, np.float32))
    checked = check_scan(blank, NAME, accepted=("bad_intensities",))
    assert np.isfinite(checked.data).all() and scan_doubts(blank) == ("bad_intensities",)
