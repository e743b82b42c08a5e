"""Published model folders with something wrong in them: one sentence that says where and what."""

import json

import pytest
import torch
from support.models import published_folders

from wirbel.learning.instance.instance_model import InstanceModel
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.models.folders.inference_config import parse_inference_config
from wirbel.models.folders.schema import REMEDY


@pytest.fixture
def folder(tmp_path):
    return published_folders.write_semantic(tmp_path / "semantic")


def edited(folder, file, change):
    """Change a JSON file of a folder in place."""
    content = json.loads((folder / file).read_text())
    change(content)
    (folder / file).write_text(json.dumps(content))


def refusal(folder) -> str:
    with pytest.raises(ValueError) as told:  # noqa: PT011
        SemanticModel(folder, "cpu", 1)
    sentence = str(told.value)
    assert str(folder) in sentence and "\n" not in sentence
    return sentence


def configuration(plans):
    return plans["configurations"]["3d_fullres"]


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        ("plans.json", lambda p: p.pop("transpose_forward"), "no field 'transpose_forward': expected the axes"),
        ("plans.json", lambda p: configuration(p).pop("patch_size"), "there is no field 'patch_size'"),
        ("dataset.json", lambda d: d.pop("labels"), "there is no field 'labels'"),
        ("dataset.json", lambda d: d["labels"].update(more=4), "the weights do not fit"),
        ("dataset.json", lambda d: d["channel_names"].update({"1": "T1w"}), "its only input"),
        ("dataset.json", lambda d: d["labels"].update(more=[1, 2]), "overlapping regions"),
        ("plans.json", lambda p: configuration(p).update(architecture={
            "network_class_name": "os.system", "arch_kwargs": {}, "_kw_requires_import": []}),
            "expected a network out of PlainConvUNet, ResidualEncoderUNet, found 'os.system'"),
        ("plans.json", lambda p: configuration(p)["architecture"]["arch_kwargs"].update(x=1),
            "unknown field 'x'; known are n_stages"),
    ],
)  # fmt: skip
def test_settings_of_the_network_that_do_not_fit_are_told(folder, file, change, sentence):
    edited(folder, file, change)
    assert sentence in refusal(folder)


@pytest.mark.parametrize("file", ["plans.json", "dataset.json", "fold_0/checkpoint_final.pth"])
def test_a_file_that_is_missing_or_cut_short_is_named(folder, file):
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    assert file in refusal(folder)
    (folder / file).unlink()
    assert file.rpartition("/")[2] in refusal(folder)


def test_two_results_folders_are_one_too_many(tmp_path):
    folder = published_folders.write_semantic(tmp_path / "model" / "first")
    (folder / "inference_config.json").rename(tmp_path / "model" / "inference_config.json")
    assert SemanticModel(tmp_path / "model", "cpu", 1).folds
    published_folders.write_semantic(tmp_path / "model" / "second")
    with pytest.raises(ValueError, match="found one in each of first, second"):
        SemanticModel(tmp_path / "model", "cpu", 1)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("inference_augmentation", "yes", "expected true or false, found 'yes'"),
        ("default_step_size", "half", "expected a share of the patch from 0.1 to 1, found 'half'"),
        ("default_step_size", True, "expected a share of the patch from 0.1 to 1, found True"),
        (
            "resolution_range",
            None,
            "expected three lengths from 0.1 to 20 mm, or two times three, found None",
        ),
        (
            "available_folds",
            None,
            "expected a number of folds from 1 to 100, or their names, found None",
        ),
        ("available_folds", 0, "expected a number of folds from 1 to 100, or their names, found 0"),
        (
            "labels",
            [1, 2],
            "expected an object with a label, a number from 0 to 255 or a structure's name, for each class "
            "from 0 to 255, found [1, 2]",
        ),
        ("sacrum_ids", "S1", "expected a number or a list of numbers from 0 to 255, found 'S1'"),
    ],
)
def test_a_setting_of_another_type_is_told(field, value, sentence):
    settings = {**published_folders.SEMANTIC_CONFIG, field: value}
    with pytest.raises(ValueError) as told:  # noqa: PT011
        parse_inference_config(settings, "folder/inference_config.json")
    assert str(told.value) == (
        f"folder/inference_config.json: field '{field}': {sentence}; {REMEDY}"
    )


def test_what_the_published_tool_accepts_in_two_spellings_is_accepted_in_both():
    settings = {**published_folders.SEMANTIC_CONFIG, "model_expected_orientation": "PIR"}
    found = parse_inference_config({**settings, "sacrum_ids": 26, "metal": [80]}, "file")
    assert found.model_expected_orientation == ("P", "I", "R")
    assert (found.sacrum_ids, found.metal) == ((26,), (80,))


@pytest.mark.parametrize(
    ("change", "config", "sentence"),
    [
        ({"hyper_parameters": {"do2D": True}}, {}, "contains a network for slices"),
        ({"hyper_parameters": [1]}, {}, "hyper_parameters is not a dictionary"),
        (
            {"state_dict": {"network.init_conv.weight": 1}},
            {},
            "'network.init_conv.weight' is not a tensor",
        ),
        ({"state_dict": {"x": torch.ones(1)}}, {}, "contains another network"),
        ({}, {"mapping": {"41": 14}}, "mapping names channel 14, but the network has 11"),
    ],
)
def test_an_instance_network_that_does_not_fit_is_told(tmp_path, change, config, sentence):
    folder = published_folders.write_instance(tmp_path / "instance", config=config, **change)
    with pytest.raises(ValueError, match=sentence) as told:
        InstanceModel(folder, "cpu", 1)
    assert str(folder) in str(told.value) and "\n" not in str(told.value)
