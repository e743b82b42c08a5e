"""Classes, kernels and strides of both networks, and the settings they are read from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.models import tiny_models

from wirbel.core import labels as L
from wirbel.learning.exported.export import INSTANCE_CHANNELS
from wirbel.learning.instance.instance_network import OUTPUTS, InstanceNetwork, UNet, one_hot
from wirbel.learning.precision import gradients_fail_in_bfloat16
from wirbel.learning.semantic.semantic_plans import SEMANTIC_LABELS, SemanticNetwork, class_of_label
from wirbel.learning.training.schedule import learning_rate_factor
from wirbel.learning.training.training_cases import as_classes
from wirbel.learning.training.training_settings import read_training_settings, training_settings

TRAIN_YAML = Path(__file__).parents[2] / "config" / "train.yaml"


def test_fourteen_structures_have_consecutive_classes_and_the_body_is_one():
    classes = class_of_label()
    assert sorted(set(classes.values())) == list(range(1, 15))
    assert classes[L.BODY] == classes[L.BODY_BORDER]
    assert set(classes) == set(L.SUBREGION_NAMES)


def test_label_to_class_and_back_gives_the_label_except_that_the_body_is_written_as_49():
    written = np.array([0, L.SACRUM, L.ARCUS, L.BODY, L.BODY_BORDER, L.CANAL, L.DISC], np.uint8)
    back = np.array([0, *SEMANTIC_LABELS])[as_classes(written)]
    assert back.tolist() == [0, 26, 41, 49, 49, 61, 100]


def test_thick_slices_are_neither_mixed_nor_pooled_by_the_first_stages():
    network = SemanticNetwork(features=(4, 8, 16, 32), in_plane_stages=2, thick_pooling_stages=(3,))
    assert network.kernels() == [[3, 3, 1], [3, 3, 1], [3, 3, 3], [3, 3, 3]]
    assert network.strides() == [[1, 1, 1], [2, 2, 1], [2, 2, 1], [2, 2, 2]]


def test_the_configured_networks_divide_their_patches_evenly():
    settings = read_training_settings(TRAIN_YAML)
    semantic, instance = settings.semantic_network, settings.instance_network
    shrink = np.prod(semantic.strides(), axis=0)
    assert (np.array(semantic.patch_size) % shrink == 0).all()
    strides = [instance.stride(stage) for stage in range(1, len(instance.features))]
    shrink = np.prod(strides, axis=0) * instance.reduction
    assert (np.array(instance.cutout_size) % shrink == 0).all()


def test_both_networks_of_one_configuration_work_on_the_same_grid():
    settings = read_training_settings(TRAIN_YAML)
    assert settings.semantic_network.spacing_mm == settings.instance_network.spacing_mm


def test_the_semantic_network_gives_a_score_per_class_and_voxel():
    with torch.no_grad():
        scores = tiny_models.semantic_network()(torch.zeros(1, 1, 32, 32, 4))
    assert scores.shape == (1, 15, 32, 32, 4)


def test_the_instance_network_gives_four_scores_per_voxel_whatever_the_reduction():
    for reduction in (1, 1, 1), (2, 2, 1):
        settings = InstanceNetwork(
            channels=3, cutout_size=(16, 16, 8), reduction=reduction, **tiny_models.SMALL
        )
        with torch.no_grad():
            scores = UNet(settings)(torch.zeros(2, 3, 16, 16, 8))
        assert scores.shape == (2, OUTPUTS, 16, 16, 8)


def test_settings_of_the_instance_network_survive_the_model_folder():
    settings = tiny_models.INSTANCE
    assert InstanceNetwork.from_dict(settings.as_dict()) == settings


def test_one_hot_puts_every_voxel_into_one_channel():
    """Cord and canal share channel 13; a label that the mapping leaves out is background."""
    labels = torch.tensor([[[[0, L.ARCUS, L.BODY, L.BODY_BORDER, L.CORD, L.CANAL, 7]]]])
    channels = one_hot(labels.to(torch.uint8), INSTANCE_CHANNELS, 14)
    assert channels.shape == (1, 14, 1, 1, 7)
    assert (channels.sum(1) == 1).all()
    assert channels.argmax(1).flatten().tolist() == [0, 1, 9, 9, 13, 13, 0]


def test_the_learning_rate_rises_then_falls():
    rates = [learning_rate_factor(share, 0.1) for share in (0.0, 0.05, 0.1, 0.5, 1.0)]
    assert rates[0] < 0.02
    assert rates[0] < rates[1] < rates[2] == pytest.approx(1.0)
    assert rates[2] > rates[3] > rates[4] == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"semantik": {}}, "unknown key 'semantik'"),
        ({"semantic": {"step": 3}}, "semantic: unknown key 'step'"),
    ],
)
def test_a_misspelt_training_setting_is_refused(raw, sentence):
    with pytest.raises(ValueError, match=sentence):
        training_settings(raw)


@pytest.mark.parametrize(
    ("network", "size", "fail"),
    [
        (SemanticNetwork(), (128, 160, 24), False),  # 4 x 5 voxels after five halvings
        (SemanticNetwork(), (64, 160, 24), True),  # 2 x 5
        (InstanceNetwork(), (160, 160, 32), False),  # 5 x 5 after averaging two and four halvings
        (InstanceNetwork(), (160, 64, 32), True),  # 5 x 2
        (InstanceNetwork(published_width=8), (32, 32, 16), False),  # 4 x 4 after three halvings
    ],
)
def test_networks_with_maps_of_two_voxels_are_trained_in_single_precision(network, size, fail):
    assert gradients_fail_in_bfloat16(torch.device("cpu"), size, network.strides()) is fail
    assert not gradients_fail_in_bfloat16(torch.device("cuda"), size, network.strides())
