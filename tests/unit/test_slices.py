"""Networks that take a scan's own slices: nothing is interpolated across them, there or back."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from support.models import tiny_models

from wirbel.core.spacing import spacing_within
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.models.folders.inference_config import read_inference_config
from wirbel.phantom import make_phantom

OWN_SLICES = replace(tiny_models.SEMANTIC, slices_mm=(4.0, 8.0))


@pytest.mark.parametrize(("slices_mm", "kept_mm"), [(3.3, 4.0), (4.0, 4.0), (5.7, 5.7), (9.0, 8.0)])
def test_a_distance_of_slices_is_kept_within_the_limits(slices_mm, kept_mm):
    spacing = spacing_within((0.6, 0.6, slices_mm), OWN_SLICES.limits_mm)
    assert spacing == (3.0, 3.0, kept_mm)


def test_without_limits_for_slices_the_model_grid_has_one_voxel_size():
    assert tiny_models.SEMANTIC.limits_mm == ((3.0, 3.0, 6.0), (3.0, 3.0, 6.0))


def test_the_limits_are_written_with_the_model_and_read_again(tmp_path):
    config = read_inference_config(tiny_models.write_semantic(tmp_path / "own", OWN_SLICES))
    assert config.spacing_for((0.6, 0.6, 5.7)) == (3.0, 3.0, 5.7)
    assert not config.resamples_to_plans
    fixed = read_inference_config(tiny_models.write_semantic(tmp_path / "fixed"))
    assert fixed.spacing_for((0.6, 0.6, 5.7)) == (3.0, 3.0, 6.0)
    assert fixed.resamples_to_plans


def test_an_instance_network_keeps_the_slices_of_the_map_it_is_given(tmp_path):
    network = replace(tiny_models.INSTANCE, slices_mm=(4.0, 8.0))
    config = read_inference_config(tiny_models.write_instance(tmp_path / "own", network))
    assert config.spacing_for((3.0, 3.0, 5.7)) == (3.0, 3.0, 5.7)


def test_such_a_network_is_given_every_slice_as_it_is(tmp_path):
    image = np.random.default_rng(1).random((40, 60, 7)).astype(np.float32) + 1
    own = SemanticModel(tiny_models.write_semantic(tmp_path / "own", OWN_SLICES), "cpu", 1)
    given = own.normalise(image, (3.0, 3.0, 4.5))
    assert given.data.shape[1:] == image.shape
    expected = (image - image.mean()) / image.std()
    np.testing.assert_allclose(given.data[0].numpy(), expected, atol=1e-4)
    assert own.segment(given, image.shape).shape == image.shape
    # nnU-Net itself would make five slices of 6 mm out of seven of 4.5 mm
    fixed = SemanticModel(tiny_models.write_semantic(tmp_path / "fixed"), "cpu", 1)
    assert fixed.normalise(image, (3.0, 3.0, 4.5)).data.shape[1:] == (40, 60, 5)


@pytest.mark.parametrize("network", [OWN_SLICES, tiny_models.SEMANTIC], ids=["own", "resampled"])
def test_the_most_probable_class_is_the_one_a_scan_is_segmented_with(tmp_path, network):
    image = np.random.default_rng(1).random((40, 60, 7)).astype(np.float32) + 1
    image[:5] = 0
    model = SemanticModel(tiny_models.write_semantic(tmp_path / "model", network), "cpu", 1)
    given = model.normalise(image, (3.0, 3.0, 4.5))
    found = model.probabilities(given, image.shape)
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)
    labels = model.label_table[found.argmax(0)]
    np.testing.assert_array_equal(labels, model.segment(given, image.shape))
    assert (found[0, :5] == 1).all()


def test_the_phantoms_labels_on_the_model_grid_keep_the_scans_slices():
    keep = partial(spacing_within, limits_mm=((2.0, 2.0, 2.5), (2.0, 2.0, 4.5)))
    options = {"in_plane_mm": 1.5, "slice_mm": 3.7, "axes": ("P", "I", "R"), "with_truth": False}
    phantom = make_phantom(6, "lumbar", model_grid_spacing_mm=keep, **options)
    np.testing.assert_allclose(phantom.model_subregion.spacing_mm, (2.0, 2.0, 3.7), atol=1e-3)
    assert phantom.model_subregion.data.shape[2] == phantom.image.data.shape[2]
