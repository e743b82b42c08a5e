"""Numbers of any size come into float32 with their ratios, or at least their contrast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirbel.core.preparation.number_range import Fit, Range, fit_to_float32
from wirbel.core.preparation.voxel_values import has_zero


def fitted(values) -> np.ndarray:
    values = np.array(values)
    return fit_to_float32(Range().with_values(values))(values)


def test_usual_numbers_stay_as_they_are():
    values = np.array([0.0, 1e-3, 512.25, -7.0, 1e6])
    np.testing.assert_array_equal(fitted(values), values.astype(np.float32))


@pytest.mark.parametrize("factor", [1e300, 1e36, 1e-36, 1e-300])
def test_huge_and_tiny_numbers_keep_their_ratios(factor):
    image = fitted(np.array([0, 100, 250, 1000]) * factor)
    np.testing.assert_allclose(image / image[-1], [0, 0.1, 0.25, 1], rtol=1e-6)
    assert 500 < image[-1] < 1025


@pytest.mark.parametrize("dtype", [np.uint64, np.float64])
def test_what_lies_far_from_zero_keeps_its_contrast_and_shows_that_its_zero_is_lost(dtype):
    """Without the shift, float32 steps of 2^40 would make a constant of it."""
    far = np.array([0, 2048, 4096, 10240]).astype(dtype) + dtype(2**63)
    image = fitted(far)
    np.testing.assert_allclose((image - image[0]) / np.ptp(image), [0, 0.2, 0.4, 1], atol=1e-6)
    assert image[0] == 4 * np.ptp(image)
    assert not has_zero(image)


def test_far_below_zero_stays_below_zero():
    image = fitted(np.array([-(2**62), -(2**62) + 100, -(2**62) + 400]))
    np.testing.assert_allclose(image, [-2000, -1900, -1600])


def test_labels_stay_as_they_are_also_where_there_is_no_background():
    np.testing.assert_array_equal(fitted([250.0, 251.0]), [250, 251])


def test_nan_and_infinity_stay_and_do_not_decide():
    image = fitted([np.nan, np.inf, -np.inf, 1.0, 2.0])
    np.testing.assert_array_equal(image, np.array([np.nan, np.inf, -np.inf, 1, 2], np.float32))


def test_nothing_seen_is_nothing_changed():
    assert fit_to_float32(Range().with_values(np.array([np.nan]))) == Fit(np.dtype(np.float32))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20))
def test_the_order_of_numbers_is_kept_and_none_is_lost_to_infinity(values):
    values = np.sort(np.array(values))
    image = fitted(values)
    assert np.isfinite(image).all()
    assert (np.diff(image) >= 0).all()
