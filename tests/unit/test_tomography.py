"""Simulated tomograms, and the scale on which networks see them."""

import numpy as np
import pytest

from wirbel.core import labels as L
from wirbel.core.geometry import MODEL_AXES, Grid, Volume, reorient
from wirbel.core.preparation.hounsfield import compressed, expanded
from wirbel.core.preparation.image import prepare_image
from wirbel.core.preparation.scan_grid import on_scan_grid
from wirbel.core.resampling import resample_image, resample_labels
from wirbel.phantom import make_phantom
from wirbel.phantom.tomography import AXES, IN_SLICE_MM, SLICES_MM, make_ct

COMMON = {"in_plane_mm": 2.0, "slice_mm": 4.0, "with_truth": False}


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(5, "lumbar", **COMMON)


@pytest.fixture(scope="module")
def ct(phantom):
    return make_ct(phantom)


def test_the_same_phantom_gives_the_same_tomogram_however_its_image_is_stored(ct):
    other = make_ct(make_phantom(5, "lumbar", axes=("R", "S", "A"), **COMMON))
    assert ct.data.tobytes() == other.data.tobytes()
    np.testing.assert_array_equal(ct.affine, other.affine)


def test_a_tomogram_has_its_own_axial_voxels(ct):
    assert ct.axes == AXES
    in_slice = ct.spacing_mm[:2]
    assert (in_slice >= IN_SLICE_MM[0]).all() and (in_slice <= IN_SLICE_MM[1]).all()
    assert SLICES_MM[0] <= ct.spacing_mm[2] <= SLICES_MM[1]


def test_tissues_have_their_attenuation_where_the_label_map_has_them(phantom, ct):
    there = resample_image(ct, phantom.image.grid).data
    labels = phantom.subregion.data
    median = {n: np.median(there[labels == n]) for n in (L.BODY_BORDER, L.DISC, L.CORD, L.CANAL)}
    assert median[L.BODY_BORDER] > 90 > 30 > median[L.CANAL]
    assert median[L.CORD] > median[L.CANAL]
    assert 50 < median[L.DISC] < 140
    assert np.percentile(there[labels == L.ARCUS], 90) > 250, "thin parts show their cortical shell"
    assert there.min() < -900, "air around the body"


def test_both_images_show_the_same_soft_tissue(phantom, ct):
    """Fat is dark in a tomogram, and in these colours air is dark in both."""
    there = resample_image(ct, phantom.image.grid).data
    air = there < -900
    assert phantom.image.data[air].mean() < 0.2 * phantom.image.data[~air].mean()


def test_the_scale_of_networks_can_be_undone():
    hounsfield = np.linspace(-1024, 3071, 200)
    np.testing.assert_allclose(expanded(compressed(hounsfield)), hounsfield, atol=0.01)
    steps = np.diff(compressed(np.array([10.0, 35.0, 1000.0, 1025.0])))
    assert steps[0] > 5 * steps[2], "a step in soft tissue is larger than the same step in bone"


def test_a_prepared_tomogram_is_compressed_and_has_no_bias_field(ct):
    prepared = prepare_image(ct, "ct", (4.0, 4.0, 6.0), tomography=True)
    plain = resample_image(reorient(ct), prepared.image.grid).data
    order = np.corrcoef(compressed(plain).ravel(), prepared.image.data.ravel())[0, 1]
    assert order > 0.99
    assert prepared.steps["BiasField"] == "none in tomography"


@pytest.mark.parametrize("resample", [resample_image, resample_labels])
def test_what_was_found_on_the_model_grid_lies_where_it_was_in_the_scan(resample):
    """A block in an oblique scan, in two storage orders."""
    block = np.zeros((50, 60, 24), np.float32)
    block[5:32, 8:40, 6:16] = 7
    noise = np.random.default_rng(1).uniform(0, 1, block.shape).astype(np.float32)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]]
    affine = np.zeros((4, 4))
    affine[1, 0], affine[2, 1], affine[0, 2], affine[3, 3] = -1, -1, 2, 1
    for axes in (MODEL_AXES, ("L", "A", "S")):
        truth = reorient(Volume(block, turn @ affine), axes)
        stored = reorient(Volume(block + noise, turn @ affine), axes)
        image = prepare_image(stored, "scan", (1.0, 1.0, 2.0), correct_bias=False).image
        found = np.where(image.data > 1000, 7, 0).astype(np.uint8)
        back = on_scan_grid(found, stored, (1.0, 1.0, 2.0), resample)
        np.testing.assert_array_equal(np.rint(back.data), truth.data)
        np.testing.assert_array_equal(back.affine, stored.affine)
    assert isinstance(back.grid, Grid)
