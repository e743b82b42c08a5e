"""A large scan is resampled slab by slab, with the result that it would have in one go."""

import numpy as np
import pytest

from wirbel.core import slabs
from wirbel.core.geometry import Volume, grid_with_spacing, turned
from wirbel.core.resampling import resample_image

SHAPE = (40, 300, 50)


@pytest.fixture
def scan() -> Volume:
    data = np.random.default_rng(0).integers(0, 900, SHAPE).astype(np.int16)
    return Volume(data, np.diag([0.7, 0.5, 0.6, 1.0]))


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 2.5), (0.4, 0.3, 0.6), (0.7, 1.3, 0.6)])
@pytest.mark.parametrize("rows", [40, 97, 299])
def test_slabs_give_the_same_voxels(scan, spacing_mm, rows, monkeypatch):
    target = grid_with_spacing(scan.grid, spacing_mm)
    whole = resample_image(scan, target).data
    monkeypatch.setattr(slabs, "LARGEST_AT_ONCE", rows * SHAPE[0] * SHAPE[2])
    parts = resample_image(scan, target).data
    np.testing.assert_allclose(parts, whole, rtol=3e-7, atol=1e-4)  # a rounding of float32
    np.testing.assert_array_equal(np.rint(parts), np.rint(whole))


def test_every_row_belongs_to_one_slab_and_every_target_row_is_made_once(monkeypatch):
    monkeypatch.setattr(slabs, "LARGEST_AT_ONCE", 70 * SHAPE[0] * SHAPE[2])
    shape, matrix = (40, 136, 25), np.diag([1.0, 2.2, 2.0])
    found = list(slabs.slabs(SHAPE, shape, matrix, np.array([0, 0.6, 0.5]), np.ones(3)))
    assert len(found) == 5
    own = [np.arange(300)[slab.source[1]][slab.own[1]] for slab in found]
    np.testing.assert_array_equal(np.concatenate(own), np.arange(300))
    made = [np.arange(136)[slab.target[1]] for slab in found]
    np.testing.assert_array_equal(np.concatenate(made), np.arange(136))


def test_small_volumes_and_turned_grids_are_taken_at_once():
    quarter = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]])
    for shape, matrix in ((SHAPE, np.eye(3)), ((4000, 4000, 4), quarter)):
        (slab,) = slabs.slabs(shape, shape, matrix, np.zeros(3), np.zeros(3))
        assert slab.source == slab.own == slab.target == (slice(None),) * 3


def test_turning_takes_no_memory(scan):
    view = turned(scan, ("P", "I", "R"))
    assert np.shares_memory(view.data, scan.data)
    assert view.axes == ("P", "I", "R")
