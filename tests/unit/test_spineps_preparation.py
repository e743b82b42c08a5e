"""`compatibility: spineps`, before the network: intensities, grids, bias field."""

import numpy as np
import pytest

from wirbel.core.geometry import Grid, Volume
from wirbel.core.spineps.bias_field import SHRINK, correct_bias_field, sampled
from wirbel.core.spineps.grids import box_of, resample, rescaled_grid
from wirbel.core.spineps.preparation import PADDING, prepare_image, prepared_grid, to_range

AXES = ("P", "I", "R")
AFFINE = np.array([[0, 0, 4.0, -30], [-0.8, 0, 0, 70], [0, -0.8, 0, 90], [0, 0, 0, 1]])


def scan(dtype=np.int16) -> Volume:
    """A textured block of 64 x 80 x 16 voxels, stored along P, I, R."""
    data = np.random.default_rng(0).integers(100, 900, (64, 80, 16)).astype(dtype)
    return Volume(data, AFFINE)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5, 10, 105], [0, 5, 100]),  # only shifted
        ([0, 1, 2000, 3000], [0, 0, 1000, 1500]),  # scaled down, cut to whole numbers
    ],
)
def test_intensities_begin_at_0_and_end_at_1500_at_most(values, expected):
    assert to_range(np.array(values, np.int16)).tolist() == expected


def test_floats_are_not_cut_to_whole_numbers():
    assert to_range(np.array([0, 1, 3000], np.float32)).tolist() == [0, 0.5, 1500]


def test_a_rescaled_grid_begins_at_the_same_voxel_centre_and_rounds_its_size():
    grid = rescaled_grid(Grid((10, 10, 5), AFFINE), (1.0, 1.0, 3.0))
    assert grid.shape == (8, 8, 7)  # 8 mm, 8 mm, 20 mm
    np.testing.assert_allclose(grid.affine[:3, 3], AFFINE[:3, 3])
    np.testing.assert_allclose(grid.spacing_mm, (1, 1, 3))


def test_nearly_equal_voxel_sizes_are_left_alone():
    grid = Grid((10, 10, 5), AFFINE)
    assert rescaled_grid(grid, (0.8005, 0.8, 4.0)) is grid


def test_labels_go_to_the_nearest_voxel():
    line = Volume(np.array([[[1, 2, 3, 4]]], np.uint8), np.diag([1.0, 1, 4, 1]))
    found = resample(line, rescaled_grid(line.grid, (1.0, 1.0, 3.0)), order=0)
    assert found.data.ravel().tolist() == [1, 2, 3, 3, 4]  # at 0, 3, 6, 9, 12 mm of 0, 4, 8, 12


def test_the_prepared_image_lies_on_the_padded_scans_grid():
    prepared = prepare_image(scan(), "a scan", lambda mm: (1.0, 1.0, 3.0), AXES, False)
    grid = prepared_grid(scan().grid, AXES, (1.0, 1.0, 3.0))
    assert prepared.image.data.shape == grid.shape
    np.testing.assert_allclose(prepared.image.affine, grid.affine)
    first = scan().grid.to_index(prepared.image.affine[:3, 3])
    np.testing.assert_allclose(first, np.full(3, -PADDING))
    assert prepared.image.data.dtype == np.int16
    assert prepared.image.data[0].max() < 20, "background was put around the scan"


def test_the_models_voxel_size_may_depend_on_the_scans():
    seen = []
    prepare_image(scan(), "a scan", lambda mm: seen.append(mm) or mm, AXES, False)
    np.testing.assert_allclose(seen, [(0.8, 0.8, 4.0)])


def test_a_brightness_gradient_is_mostly_removed_and_integers_stay():
    """Brightness doubles from front to back; afterwards the halves differ by less than a tenth."""
    gradient = np.exp(np.linspace(0, np.log(2), 64))[:, None, None]
    block = np.full((64, 80, 16), 300.0)
    block[20:40, 30:50] = 600
    volume = Volume((block * gradient).astype(np.int16), AFFINE)
    corrected = correct_bias_field(volume)
    assert corrected.dtype == np.int16
    front, back = (corrected[part, :25].mean() for part in (slice(5, 15), slice(50, 60)))
    assert abs(front / back - 1) < 0.1


def test_what_lies_outside_the_box_of_tissue_stays_as_it_is():
    gain = np.linspace(1.5, 0.6, 64)[:, None, None]
    data = np.full((64, 80, 16), 30.0) * gain
    data[10:50, 5:70, 2:14] = 300 * gain[10:50]
    inside = np.zeros(data.shape, bool)
    inside[10:50, 5:70, 2:14] = True
    before = data.astype(np.int16)
    after = correct_bias_field(Volume(before, AFFINE))
    assert (after[~inside] == before[~inside]).all()
    assert (after[inside] != before[inside]).mean() > 0.9


@pytest.mark.parametrize(("size", "low"), [(26, 5), (40, 0), (17, 3), (3, 0)])
def test_every_fourth_voxel_is_fitted_from_within_the_image(size, low):
    (kept, _, _) = sampled((size, size, size), np.full(3, low), np.eye(4))
    assert len(kept) == max(size // SHRINK, 1)
    assert set(np.diff(kept)) <= {SHRINK}
    assert kept.min() >= 0 and kept.max() < size


def test_a_box_of_nothing_is_the_whole_array():
    assert box_of(np.zeros((2, 3, 4), bool)) == (slice(0, 2), slice(0, 3), slice(0, 4))
