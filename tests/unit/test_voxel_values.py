"""One reading of intensities: what is replaced, what is left alone, and when 0 means no signal."""

import numpy as np
import pytest

from wirbel.core.geometry import Volume
from wirbel.core.preparation.intensities import to_fixed_range
from wirbel.core.preparation.voxel_values import clean, cleaned, credible_range, has_zero, pieces

RNG = np.random.default_rng(3)
TISSUE = RNG.gamma(4, 60, (30, 40, 20))
IMAGE = np.where(np.arange(20) < 8, 0, TISSUE).astype(np.int16)
"""A scan of 24,000 voxels: air (0) beside tissue of 1 to 1200."""
SIXTY = 60
"""Voxels: 0.25 % of them."""


def with_values(*values, dtype=np.float32) -> np.ndarray:
    """The image with its first voxels replaced."""
    data = IMAGE.astype(dtype)
    data.reshape(-1)[: len(values)] = values
    return data


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float32])
def test_a_usual_image_is_not_touched(dtype):
    data = IMAGE.astype(dtype)
    same, replaced = clean(data)
    assert same is data
    assert replaced is None


def test_the_brightest_tissue_is_no_artefact():
    """Fat beside a surface coil, ten times as bright as the mean of all tissue."""
    data = IMAGE.astype(np.int32)
    data[:2, :3] = 2400
    assert clean(data)[1] is None


def test_what_is_no_number_becomes_the_darkest_value():
    data, replaced = clean(with_values(np.nan, np.inf, -np.inf))
    np.testing.assert_array_equal(data.reshape(-1)[:3], 0)
    assert replaced.sum() == 3 and replaced.reshape(-1)[:3].all()
    assert data.dtype == np.float32


def test_an_image_without_any_number_becomes_black():
    data, replaced = clean(np.full((3, 4, 5), np.nan, np.float32))
    assert not data.any() and replaced.all()


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_quarter_per_cent_of_absurd_values_leaves_the_contrast_as_it_is(dtype, sign):
    data, replaced = clean(with_values(*[sign * 1_000_000] * SIXTY, dtype=dtype))
    assert replaced.sum() == SIXTY
    assert data.dtype == dtype
    assert (data.min(), data.max()) == (0, IMAGE.max())
    expected, found = (to_fixed_range(image)[0].mean() for image in (IMAGE, data))
    assert found == pytest.approx(expected, rel=0.01)  # left as it was: 2 % of it


def test_more_than_2_per_cent_are_the_image():
    data = with_values(*[1_000_000] * 700)
    assert clean(data)[1] is None


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_the_order_of_voxels_plays_no_part(axes):
    data = with_values(*[1_000_000] * SIXTY, np.nan)
    turned = np.ascontiguousarray(data.transpose(axes)[::-1])
    np.testing.assert_array_equal(clean(turned)[0], clean(data)[0].transpose(axes)[::-1])


def test_a_volume_is_cleaned_on_its_grid():
    volume = Volume(with_values(np.nan), np.eye(4))
    assert np.isfinite(cleaned(volume).data).all()
    assert cleaned(volume).affine is volume.affine


def test_pieces_hold_every_value_once():
    data = np.arange(3 * (1 << 21)).reshape(6, 1 << 10, 1 << 10)
    assert sum(int(piece.sum()) for piece in pieces(data)) == data.sum()
    assert len(list(pieces(data))) == 2


@pytest.mark.parametrize(
    ("image", "zero"),
    [
        (IMAGE, True),
        (IMAGE * 1e-30, True),
        (np.maximum(TISSUE, 20), True),  # a cut without air
        (
            TISSUE + RNG.normal(0, 3, TISSUE.shape) - 5,
            True,
        ),  # a little below 0, as splines leave it
        (IMAGE - 32768.0, False),
        (IMAGE + 32768.0, False),
        ((IMAGE - IMAGE.mean()) / IMAGE.std(), False),
        (np.where(IMAGE, (TISSUE - 240) / 120, 0), False),  # standardised inside a mask
        (-1.0 * IMAGE, False),
    ],
)
def test_whether_0_means_no_signal(image, zero):
    assert has_zero(image) is zero


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint8, np.int8])
def test_short_whole_numbers_are_judged_as_the_same_numbers_in_floating_point(dtype):
    limits = np.iinfo(dtype)
    data = np.random.default_rng(5).integers(limits.min, limits.max, (9, 8, 7)).astype(dtype)
    assert credible_range(data) == credible_range(data.astype(np.float32))
