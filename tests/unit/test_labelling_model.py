"""Labelling networks in the published format: what is loaded, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.models.labelling_folder import (
    CHECKPOINT,
    HEADS,
    as_published_class,
    checkpoint,
    forget_published_class,
    write_labelling,
)

from wirbel.learning.labelling.labelling_checkpoint import read_checkpoint
from wirbel.learning.labelling.labelling_model import LabellingModel
from wirbel.learning.labelling.labelling_network import LabellingClassifier, LabellingNetwork


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_labelling(tmp_path_factory.mktemp("labelling"))


def test_a_folder_answers_with_probabilities_for_every_head(folder):
    model = LabellingModel(folder, "cpu")
    assert (model.wanted.axes, model.wanted.size) == (("P", "I", "R"), (32, 32, 32))
    assert model.wanted.spacing_for(np.ones(3)) == (3.0, 3.0, 6.0)
    cutouts = np.random.default_rng(0).normal(size=(3, 32, 32, 32)).astype(np.float32)
    answers = model.classify(cutouts)
    assert {head: values.shape for head, values in answers.items()} == {
        head: (3, classes) for head, classes in HEADS.items()
    }
    for values in answers.values():
        assert values.sum(axis=1) == pytest.approx(1, abs=1e-5)
    alone = model.classify(cutouts[1:2])
    assert alone["VERT"][0] == pytest.approx(answers["VERT"][1], abs=1e-6)


def test_the_tensors_are_those_of_the_published_networks():
    """Names, shapes and number as in a checkpoint that SPINEPS wrote of its own network."""
    network = LabellingClassifier(LabellingNetwork("DENSENET169", {"VERT": 24}))
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes["net.features.conv0.weight"] == (64, 1, 7, 7, 7)
    assert shapes["net.features.denseblock1.denselayer1.layers.conv1.weight"] == (128, 64, 1, 1, 1)
    assert shapes["net.features.denseblock4.denselayer32.layers.norm1.bias"] == (1632,)
    assert shapes["net.features.transition3.conv.weight"] == (640, 1280, 1, 1, 1)
    assert shapes["net.features.norm5.running_var"] == (1664,)
    assert shapes["classification_heads.VERT.0.weight"] == (832, 1664)
    assert shapes["classification_heads.VERT.2.bias"] == (24,)
    backbone = [name for name in shapes if name.startswith("net.")]
    assert len(backbone) == TENSORS_OF_DENSENET169


TENSORS_OF_DENSENET169 = 1013


@pytest.mark.parametrize("ds_name", ["sagittal_v3corpus_npz", "sagittal_v4corpus_npz"])
def test_cutouts_are_turned_where_the_network_was_trained_on_such(tmp_path, ds_name):
    path = tmp_path / CHECKPOINT
    torch.save(checkpoint(ds_name=ds_name, in_channel=1), path)
    assert read_checkpoint(path)[0].turned is ("v4" in ds_name)


def test_the_options_may_be_of_the_published_tools_own_class(tmp_path):
    content = checkpoint(final_size=(64, 96, 32))
    content["hyper_parameters"]["opt"] = as_published_class(content["hyper_parameters"]["opt"])
    torch.save(content, tmp_path / CHECKPOINT)
    forget_published_class()
    assert read_checkpoint(tmp_path / CHECKPOINT)[0].size == (64, 96, 32)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"backbone": "RESNET50"},
            "its backbone is 'RESNET50'; known are DENSENET121, DENSENET169",
        ),
        ({"backbone": "DENSENET169"}, "the weights do not fit the network"),
        ({"classification_linear": False}, "the weights do not fit the network"),
        ({"classification_conv": True}, "begin with a convolution"),
        ({"final_size": (32, 31, 32)}, "expected three even edges of 32 or more"),
    ],
)
def test_another_network_is_refused_in_one_sentence(tmp_path, options, sentence):
    write_labelling(tmp_path, **options)
    with pytest.raises(ValueError, match=sentence) as caught:
        LabellingModel(tmp_path, "cpu")
    assert CHECKPOINT in str(caught.value) and "\n" not in str(caught.value)
