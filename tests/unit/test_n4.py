"""N4 by dense products: ITK's field, to rounding; what has no field says so.

Rounding decides whether ITK counts the brightest voxel of an image, one in some thousand here.
"""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from wirbel.core.preparation.n4 import fitting, itk
from wirbel.core.preparation.n4.bspline import Approximation, basis, evaluate, refined
from wirbel.core.preparation.n4.methods import n4_method
from wirbel.core.preparation.n4.settings import FitSettings
from wirbel.core.preparation.n4.sharpening import BINS, histogram, limits, sharpened

SHAPE = (24, 36, 12)
ROUNDING = 5e-5
SETTINGS = FitSettings((1, 2, 1), (50, 50), 1e-7)


def tissues(seed: int = 0) -> np.ndarray:
    """Three tissues in random voxels with a little noise."""
    rng = np.random.default_rng(seed)
    return (rng.choice([100, 300, 500], SHAPE) + rng.normal(0, 5, SHAPE)).astype(np.float32)


def gain() -> np.ndarray:
    """A coil that sees the back 1.8 times as bright as the front."""
    return np.exp(np.linspace(-0.3, 0.3, SHAPE[0]))[:, None, None] * np.ones(SHAPE)


def box_mask() -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[2:20, 3:30, 1:11] = True
    return mask


def scattered_mask() -> np.ndarray:
    return np.random.default_rng(3).random(SHAPE) < 0.4


def everywhere() -> np.ndarray:
    return np.ones(SHAPE, bool)


@pytest.mark.parametrize("make_mask", [box_mask, scattered_mask, everywhere])
def test_the_field_is_itks_to_a_thousandth(make_mask):
    image, mask = (tissues() * gain()).astype(np.float32), make_mask()
    ours = fitting.log_field(image, mask, SETTINGS, SHAPE)
    theirs = itk.log_field(image, mask, SETTINGS, SHAPE)
    np.testing.assert_allclose(np.exp(ours - theirs)[mask], 1, atol=1e-3)


@pytest.mark.parametrize("iterations", [(1,), (3, 3), (2, 0, 2)])
def test_after_few_iterations_it_is_itks_to_rounding_outside_the_mask_too(iterations):
    image, settings = (tissues() * gain()).astype(np.float32), FitSettings((1, 2, 1), iterations, 0)
    ours, theirs = (way.log_field(image, box_mask(), settings, SHAPE) for way in (fitting, itk))
    np.testing.assert_allclose(ours, theirs, atol=ROUNDING)


def test_the_field_of_a_reduced_image_is_given_on_the_full_grid_as_by_itk():
    small, mask = tissues()[::2, ::2, ::2], box_mask()[::2, ::2, ::2]
    settings = FitSettings((1, 1, 1), (2, 2), 0)
    ours, theirs = (way.log_field(small, mask, settings, SHAPE) for way in (fitting, itk))
    assert ours.shape == SHAPE
    np.testing.assert_allclose(ours, theirs, atol=ROUNDING)


def test_a_known_gain_is_found():
    image, mask = (tissues() * gain()).astype(np.float32), box_mask()
    field = fitting.log_field(image, mask, SETTINGS, SHAPE)
    error = (field - np.log(gain()))[mask]
    assert np.abs(error - error.mean()).max() < 0.1


def test_dark_voxels_at_the_beginning_are_treated_as_by_itk():
    """ITK overlooks a minimum that comes first: the darkest voxel gets the brightest answer."""
    image, settings = tissues(), FitSettings((1, 2, 1), (3,), 0)
    image[0, 0, 0], image[1, 0, 0] = 1, 2
    ours, theirs = (way.log_field(image, everywhere(), settings, SHAPE) for way in (fitting, itk))
    np.testing.assert_allclose(ours, theirs, atol=ROUNDING)


def test_zeros_inside_the_mask_are_treated_as_by_itk():
    image, settings = tissues(), FitSettings((1, 2, 1), (3,), 0)
    image[5:9] = 0
    ours, theirs = (way.log_field(image, everywhere(), settings, SHAPE) for way in (fitting, itk))
    np.testing.assert_allclose(ours, theirs, atol=ROUNDING)


def test_itks_field_does_not_depend_on_how_many_threads_it_may_use():
    image, fields = (tissues() * gain()).astype(np.float32), []
    usual = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    for threads in (1, 3):
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        fields.append(itk.log_field(image, everywhere(), SETTINGS, SHAPE))
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == threads
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(usual)
    np.testing.assert_array_equal(*fields)


def test_the_same_image_gives_the_same_bytes():
    first, second = (fitting.log_field(tissues(), box_mask(), SETTINGS, SHAPE) for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("value", [0.0, 200.0])
def test_a_constant_image_has_no_field(value):
    image = np.full(SHAPE, value, np.float32)
    assert not fitting.log_field(image, box_mask(), SETTINGS, SHAPE).any()


def test_a_single_voxel_has_no_field():
    mask = np.zeros(SHAPE, bool)
    mask[4, 5, 6] = True
    assert not fitting.log_field(tissues(), mask, SETTINGS, SHAPE).any()


def test_one_slice_is_fitted_within_the_slice():
    image, mask = (tissues() * gain())[:, :, :1].astype(np.float32), box_mask()[:, :, 5:6]
    field = fitting.log_field(image, mask, SETTINGS, mask.shape)
    assert np.isfinite(field).all()
    error = (field - np.log(gain()[:, :, :1]))[mask]
    assert np.abs(error - error.mean()).max() < 0.15


@pytest.mark.parametrize("way", [fitting, itk])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda image, mask: mask.fill(False), "no voxel lies in the mask"),
        (lambda image, mask: np.negative(image, out=image), "at least 0"),
        (lambda image, mask: image.fill(np.nan), "finite"),
    ],
    ids=["empty mask", "negative", "no numbers"],
)
def test_what_cannot_be_fitted_is_refused_in_words(way, spoil, said):
    image, mask = tissues(), box_mask()
    spoil(image, mask)
    with pytest.raises(ValueError, match=said):
        way.log_field(image, mask, SETTINGS, SHAPE)


def test_an_image_and_a_mask_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        fitting.log_field(tissues(), np.ones((2, 2, 2), bool), SETTINGS, SHAPE)


def test_the_setting_chooses_the_way():
    assert n4_method(True) is fitting.log_field
    assert n4_method("itk") is itk.log_field
    assert n4_method(False) is None


def test_a_row_of_the_basis_adds_up_to_one_and_a_voxel_on_a_knot_sees_three_points():
    matrix = basis(9, 2).toarray()  # four voxels a span
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(matrix[4], [0, 1 / 6, 4 / 6, 1 / 6, 0], rtol=1e-6)


def test_a_refined_lattice_is_the_same_spline():
    lattice = np.random.default_rng(1).normal(size=(4, 5, 6))
    np.testing.assert_allclose(
        evaluate(refined(lattice), SHAPE), evaluate(lattice, SHAPE), atol=1e-6
    )


def test_a_single_value_is_met_and_points_that_it_does_not_touch_stay_0():
    mask = np.zeros((17, 17, 17), bool)
    mask[2, 9, 15] = True  # in the first of four spans along the first axis: control points 0 to 3
    lattice = Approximation(mask, (7, 7, 7)).fit(3.0 * mask)
    assert evaluate(lattice, mask.shape)[mask] == pytest.approx(3)
    assert not lattice[4:].any()


def test_two_sharp_peaks_stay_apart_and_what_lies_between_moves_to_the_nearer():
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(5, 0.06, 4000), rng.normal(6, 0.06, 4000)])
    result = sharpened(values.astype(np.float32))
    assert result[:4000].std() < 0.5 * values[:4000].std()
    assert result[:4000].mean() == pytest.approx(5, abs=0.02)
    assert result[4000:].mean() == pytest.approx(6, abs=0.02)


def test_a_value_is_shared_out_between_two_bins():
    bins, share = np.array([0, 3, BINS - 1]), np.array([0.25, 0.0, 0.0])
    counts = histogram(bins, share, np.zeros(3, bool))
    assert counts[[0, 1, 3, BINS - 1]].tolist() == [0.75, 0.25, 1, 1]
    assert counts.sum() == 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 1, 2], (1, 3)),
        ([1, 5, 2, 3], (2, 5)),
        ([2, 1], (1, 2)),
        ([1, 2, 3], (3, 3)),
        ([4], (4, 4)),
    ],
)
def test_the_minimum_is_looked_for_after_the_first_rise(values, expected):
    assert limits(np.array(values, np.float32)) == expected
