"""Orientation, spacing and resampling: nothing may depend on how a file stores its axes."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wirbel.core.geometry import MODEL_AXES, Grid, Volume, grid_with_spacing, reorient, upright
from wirbel.core.resampling import resample_image, resample_labels

ALL_AXES = [
    tuple(pair[bit] for pair, bit in zip(order, bits, strict=True))
    for order in permutations((("R", "L"), ("A", "P"), ("S", "I")))
    for bits in product((0, 1), repeat=3)
]
"""All 48 ways of storing an image: six orders of the axes, each in either direction."""


def oblique_affine(spacing=(0.8, 0.9, 3.3), angle_deg=12.0):
    """P-I-R axes, turned about the left-right direction."""
    turn = np.deg2rad(angle_deg)
    axes = np.array([[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]])
    rotation = [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]
    affine = np.eye(4)
    affine[:3, :3] = np.array(rotation) @ axes * spacing
    affine[:3, 3] = [10, -20, 30]
    return affine


def numbered_volume(shape=(5, 6, 4)):
    return Volume(np.arange(np.prod(shape)).reshape(shape).astype(np.float32), oblique_affine())


@pytest.mark.parametrize("axes", ALL_AXES)
def test_reorienting_there_and_back_restores_the_array_and_the_affine(axes):
    volume = numbered_volume()
    back = reorient(reorient(volume, axes), MODEL_AXES)
    np.testing.assert_array_equal(back.data, volume.data)
    np.testing.assert_allclose(back.affine, volume.affine, atol=1e-9)


@pytest.mark.parametrize("axes", ALL_AXES)
def test_every_voxel_keeps_its_place_in_the_world(axes):
    volume = numbered_volume()
    turned = reorient(volume, axes)
    index = np.argwhere(turned.data == 57.0)[0]
    expected = np.argwhere(volume.data == 57.0)[0]
    np.testing.assert_allclose(
        turned.grid.to_world(index), volume.grid.to_world(expected), atol=1e-9
    )
    assert turned.axes == axes


def test_a_new_spacing_keeps_the_outer_face_and_covers_the_field_of_view():
    grid = Grid((10, 10, 10), np.diag([2.0, 2.0, 2.0, 1.0]))
    finer = grid_with_spacing(grid, (1.0, 0.5, 3.0))
    assert finer.shape == (20, 40, 7)  # 20 mm / 3 mm rounded up
    first_face = finer.to_world(np.array([-0.5, -0.5, -0.5]))
    np.testing.assert_allclose(first_face, grid.to_world(np.array([-0.5, -0.5, -0.5])))
    np.testing.assert_allclose(finer.spacing_mm, (1.0, 0.5, 3.0))


def test_resampling_an_image_to_its_own_grid_changes_nothing():
    volume = numbered_volume()
    same = resample_image(volume, volume.grid)
    np.testing.assert_allclose(same.data, volume.data, rtol=1e-5, atol=1e-3)


def test_a_linear_ramp_stays_a_ramp_of_the_world_coordinate():
    grid = Grid((30, 30, 12), oblique_affine())
    height = grid.to_world(np.stack(np.indices(grid.shape), -1))[..., 2]
    target = grid_with_spacing(grid, (1.3, 0.7, 2.0))
    result = resample_image(Volume(height, grid.affine), target)
    expected = target.to_world(np.stack(np.indices(target.shape), -1))[..., 2]
    inner = (slice(6, -6), slice(8, -8), slice(5, -5))  # away from the repeated border
    np.testing.assert_allclose(result.data[inner], expected[inner], atol=0.02)


def test_labels_on_their_own_grid_stay_what_they_are():
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[0:3, 1:4, 2:5], labels[3:6, 1:4, 0:6] = 49, 100  # two touch, both reach the border
    volume = Volume(labels, np.eye(4))
    np.testing.assert_array_equal(resample_labels(volume, volume.grid).data, labels)


def test_a_label_at_the_border_of_the_field_of_view_is_not_eaten():
    labels = np.full((4, 4, 4), 49, np.uint8)
    volume = Volume(labels, np.diag([3.0, 3.0, 3.0, 1.0]))
    finer = resample_labels(volume, grid_with_spacing(volume.grid, (1.0, 1.0, 1.0)))
    assert (finer.data == 49).all()


def test_rounding_in_an_affine_does_not_change_the_number_of_voxels():
    """318 voxels of 2.1101 mm are 671.01 mm; with sizes rounded on the way they must not become 670 or 672."""
    for size in (2.11006, 2.110055, 2.110064):
        grid = Grid((318, 4, 4), np.diag([size, 1.0, 1.0, 1.0]))
        rounded = upright(Volume(np.zeros(grid.shape, np.uint8), grid.affine)).grid
        assert (
            grid_with_spacing(grid, (1, 1, 1)).shape == grid_with_spacing(rounded, (1, 1, 1)).shape
        )


def test_no_label_appears_between_two_others():
    """Interpolating the numbers 49 and 100 would invent 60s and 61s; the labels compete instead."""
    labels = np.zeros((10, 4, 4), np.uint8)
    labels[:5], labels[5:] = 49, 100
    volume = Volume(labels, np.diag([2.0, 2.0, 2.0, 1.0]))
    finer = resample_labels(volume, grid_with_spacing(volume.grid, (0.6, 0.6, 0.6)))
    assert set(np.unique(finer.data)) == {49, 100}


@settings(max_examples=25, deadline=None)
@given(
    spacing=st.tuples(*[st.floats(0.6, 3.3)] * 3),
    radius=st.floats(15, 19),
    axes=st.sampled_from(ALL_AXES),
)
def test_the_volume_of_a_ball_survives_any_spacing_and_storage_order(spacing, radius, axes):
    grid = Grid((44, 42, 30), oblique_affine((1.0, 1.0, 1.5)))
    place = grid.to_world(np.stack(np.indices(grid.shape), -1))
    centre = grid.to_world((np.array(grid.shape) - 1) / 2)
    ball = (np.linalg.norm(place - centre, axis=-1) < radius).astype(np.uint8) * 49
    volume = reorient(Volume(ball, grid.affine), axes)
    result = resample_labels(volume, grid_with_spacing(volume.grid, spacing))
    measured = (result.data == 49).sum() * np.prod(result.spacing_mm)
    before = (ball == 49).sum() * np.prod(grid.spacing_mm)
    # counting voxel centres in a ball of radius r at steps of h is off by up to about (h / r)^2
    assert measured == pytest.approx(before, rel=0.06)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 3.0), (0.75, 0.75, 1.65), (2.0, 2.0, 2.0)])
@pytest.mark.parametrize(("radius", "most"), [(9.0, 0.05), (12.0, 0.025), (15.0, 0.02)])
def test_thick_slices_shrink_small_balls_little(radius, most, spacing):
    """Linear interpolation rounds off what is only a few slices wide; wherever the slices fall, on average."""
    random = np.random.default_rng(0)
    grid = Grid((44, 42, 16), oblique_affine((0.8, 0.8, 3.3)))
    place = grid.to_world(np.stack(np.indices(grid.shape), -1))
    volumes = []
    for _ in range(24):
        centre = grid.to_world((np.array(grid.shape) - 1) / 2 + random.uniform(-0.5, 0.5, 3))
        ball = (np.linalg.norm(place - centre, axis=-1) < radius).astype(np.uint8) * 49
        result = resample_labels(Volume(ball, grid.affine), grid_with_spacing(grid, spacing))
        volumes.append((result.data == 49).sum() * np.prod(result.spacing_mm))
    assert np.mean(volumes) == pytest.approx(4 / 3 * np.pi * radius**3, rel=most)


@pytest.mark.parametrize("axes", ALL_AXES)
def test_upright_keeps_axes_and_voxel_size_and_forgets_tilt_and_rounding(axes):
    tilted = reorient(numbered_volume(), axes)
    noisy = Volume(tilted.data, tilted.affine + 1e-7)
    flat = upright(noisy)
    assert flat.axes == axes
    np.testing.assert_array_equal(flat.data, tilted.data)
    np.testing.assert_array_equal(flat.affine, upright(tilted).affine)
    np.testing.assert_allclose(flat.spacing_mm, tilted.spacing_mm, atol=1e-6)
