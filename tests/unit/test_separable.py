"""Resampling axis by axis: scipy's results, which turning the same grid by a hair still gives."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from wirbel.core.geometry import Grid, Volume
from wirbel.core.separable import (
    along_axes,
    cubic,
    linear,
    nearest,
    nearest_if_plain,
    nearest_is_plain,
)
from wirbel.core.spineps.grids import resample

SCALE, OFFSET, SHAPE = np.array([1.3, 0.7, 0.4125]), np.array([0.1, -0.2, 0.3]), (15, 40, 24)


def noise(dtype) -> np.ndarray:
    return (np.random.default_rng(0).random((20, 30, 10)) * 250).astype(dtype)


def by_scipy(data: np.ndarray, order: int) -> np.ndarray:
    return ndimage.affine_transform(
        data, np.diag(SCALE), OFFSET, SHAPE, order=order, mode="nearest"
    )


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.uint16])
def test_whole_numbers_are_those_of_scipy(dtype):
    found = cubic(noise(dtype), SCALE, OFFSET, SHAPE)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, by_scipy(noise(dtype), 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_point_numbers_are_those_of_scipy_to_rounding(dtype):
    found = cubic(noise(dtype), SCALE, OFFSET, SHAPE)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, by_scipy(noise(dtype), 3), rtol=1e-6)


def test_what_unsigned_numbers_cannot_hold_is_clipped():
    data = np.zeros((9, 9, 9), np.uint8)
    data[4:] = 255  # the spline swings below 0 and above 255 beside the edge
    found = cubic(data, np.full(3, 0.5), np.full(3, 0.1), (16, 16, 16))
    before, behind = found[:7, 8, 8], found[8:, 8, 8]
    assert before.min() == 0 and before.max() < 25
    assert behind.max() == 255 and behind.min() > 230


def test_the_nearest_voxels_are_those_of_scipy_beyond_the_border_too():
    found = nearest(noise(np.int16), SCALE, np.array([-3.0, -0.2, 0.3]), SHAPE)
    scipys = ndimage.affine_transform(
        noise(np.int16), np.diag(SCALE), [-3.0, -0.2, 0.3], SHAPE, order=0, mode="nearest"
    )
    np.testing.assert_array_equal(found, scipys)


def test_the_nearest_voxels_are_found_axis_by_axis_in_any_order_of_axes():
    hair = 1e-7 * np.random.default_rng(1).random((3, 3))
    for order in itertools.permutations(range(3)):
        matrix = (np.diag(SCALE) + hair)[:, order]
        shape = tuple(SHAPE[axis] for axis in order)
        found = nearest_if_plain(noise(np.uint8), matrix, np.array([-3.03, -0.21, 0.31]), shape)
        scipys = ndimage.affine_transform(
            noise(np.uint8), matrix, [-3.03, -0.21, 0.31], shape, order=0, mode="nearest"
        )
        assert found is not None and found.flags.c_contiguous
        np.testing.assert_array_equal(found, scipys)


def test_what_is_turned_or_half_way_is_not_taken_axis_by_axis():
    turned = np.diag(SCALE)
    turned[0, 1] = 0.6
    half_way = np.diag([0.5, 1, 1])[:, [2, 0, 1]]
    both = np.array([[1.0, 0, 0], [0.9, 0.1, 0], [0, 0, 1]])
    for matrix in (turned, half_way, both):
        assert nearest_if_plain(noise(np.uint8), matrix, np.zeros(3), SHAPE) is None


def test_linear_interpolation_is_that_of_scipy_with_nothing_outside():
    mask = (noise(np.uint8) > 120).astype(np.float32)
    found = linear(mask, SCALE, np.array([-3.0, -0.2, 0.3]), (24, 45, 26))
    scipys = ndimage.affine_transform(
        mask, np.diag(SCALE), [-3.0, -0.2, 0.3], (24, 45, 26), np.float32, 1, mode="constant"
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, scipys, atol=1e-6)
    assert not found[:3].any()  # before the first voxel


def test_a_single_voxel_can_be_interpolated():
    one = np.ones((1, 1, 1), np.float32)
    assert linear(one, np.ones(3), np.zeros(3), (1, 1, 2)).ravel().tolist() == [1, 0]
    assert cubic(one, np.ones(3), np.zeros(3), (1, 1, 2)).ravel() == pytest.approx([1, 1])


def test_a_grid_that_is_turned_is_not_taken_axis_by_axis():
    turned = np.diag(SCALE)
    turned[0, 1] = 1e-3
    assert along_axes(np.diag(SCALE), SHAPE)
    assert not along_axes(turned, SHAPE)
    assert not nearest_is_plain(turned, OFFSET, SHAPE)


def test_positions_half_way_between_voxels_are_left_to_rounding_in_the_affine():
    assert nearest_is_plain(np.eye(3), np.zeros(3), SHAPE)
    assert not nearest_is_plain(np.diag([0.5, 1, 1]), np.zeros(3), SHAPE)


@pytest.mark.parametrize("order", [0, 3])
def test_an_oblique_scan_is_resampled_along_its_own_axes(order):
    angle = np.deg2rad(12)
    tilt = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    affine, finer = np.eye(4), np.eye(4)
    affine[:3, :3], finer[:3, :3] = tilt * [1.0, 1.1, 3.0], tilt * [0.7, 0.7, 1.6]
    volume = Volume(noise(np.int16), affine)
    found = resample(volume, Grid((20, 30, 15), finer), order)
    matrix = np.linalg.inv(affine) @ finer
    expected = ndimage.affine_transform(
        volume.data, matrix[:3, :3], matrix[:3, 3], (20, 30, 15), order=order, mode="nearest"
    )
    np.testing.assert_array_equal(found.data, expected)
