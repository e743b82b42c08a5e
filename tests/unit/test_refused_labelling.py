"""Labelling folders with something wrong in them: one sentence that says where and what, and nothing else happens."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import pytest
import torch
from support.models import published_folders
from support.models.labelling_folder import (
    BACKBONE,
    CHECKPOINT,
    CONFIG,
    HEADS,
    SIZE,
    write_labelling,
)

from wirbel.learning.labelling.labelling_model import LabellingModel
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.folders.labelling import find_checkpoint

MARK = "was-here"


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    return write_labelling(tmp_path_factory.mktemp("labelling") / "model")


@pytest.fixture(scope="module")
def whole(intact):
    """The content of a checkpoint with all its tensors."""
    return torch.load(intact / "checkpoints" / CHECKPOINT, weights_only=False)


@pytest.fixture
def folder(tmp_path):
    """A folder to spoil, without tensors: what is wrong with the rest is found before they are looked at."""
    (tmp_path / "model" / "checkpoints").mkdir(parents=True)
    (tmp_path / "model" / FILE_NAME).write_text(json.dumps(CONFIG))
    write_checkpoint(tmp_path / "model", {**SETTINGS_ALONE, "hyper_parameters": hyper_parameters()})
    return tmp_path / "model"


def hyper_parameters() -> dict:
    options = argparse.Namespace(backbone=BACKBONE, final_size=SIZE, classification_linear=True)
    return {"opt": options, "group_2_n_channel": dict(HEADS)}


SETTINGS_ALONE = {"pytorch-lightning_version": "2.6.6", "state_dict": {}}


def write_checkpoint(folder: Path, content: object) -> None:
    torch.save(content, folder / "checkpoints" / CHECKPOINT)


def refusal(folder: Path) -> str:
    """Return the sentence with which a folder is refused, once it is clear that its files are as before."""
    before = {path: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()}
    with pytest.raises(ValueError) as told:  # noqa: PT011
        LabellingModel(folder, "cpu")
    after = {path: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()}
    assert before == after and not Path(MARK).exists()
    sentence = str(told.value)
    assert str(folder) in sentence and "\n" not in sentence
    return sentence


def spoiled(change) -> dict:
    """Return the content of a checkpoint whose hyper-parameters were changed."""
    content = {**SETTINGS_ALONE, "hyper_parameters": hyper_parameters()}
    change(content["hyper_parameters"])
    return content


def test_what_is_spoiled_here_is_otherwise_in_order(intact, folder):
    assert LabellingModel(intact, "cpu").wanted.size == (32, 32, 32)
    assert "the weights do not fit the network" in refusal(folder), "it lacks nothing but tensors"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("colour", "red", "unknown field 'colour'; known are log_name, "),
        ("modeltype", "nnunet", "field 'modeltype': expected 'classifier' of a labelling model"),
        ("expected_inputs", ["img", "seg"], "'expected_inputs': a labelling network has one input"),
        ("resolution_range", [1.0, 1.0], "field 'resolution_range'"),
        ("model_expected_orientation", ["P", "I", "S"], "field 'model_expected_orientation'"),
        ("resolution_range", None, "field 'resolution_range': expected three lengths"),
    ],
)
def test_a_field_that_is_unknown_or_wrong_is_named(folder, name, value, sentence):
    file = folder / FILE_NAME
    file.write_text(json.dumps({**json.loads(file.read_text()), name: value}))
    told = refusal(folder)
    assert sentence in told and FILE_NAME in told


@pytest.mark.parametrize("name", ["modeltype", "resolution_range", "labels"])
def test_a_field_that_is_missing_is_named(folder, name):
    file = folder / FILE_NAME
    content = json.loads(file.read_text())
    del content[name]
    file.write_text(json.dumps(content))
    told = refusal(folder)
    assert f"'{name}'" in told and FILE_NAME in told


def test_a_file_that_is_missing_or_cut_short_is_named(folder):
    config, weights = folder / FILE_NAME, folder / "checkpoints" / CHECKPOINT
    whole = weights.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 100):
        weights.write_bytes(whole[:length])
        assert f"{CHECKPOINT} is not a complete checkpoint; copy or fetch it again" in refusal(
            folder
        )
    weights.unlink()
    assert "there is no *val_f1=*valf1-weights.ckpt in it" in refusal(folder)
    config.write_text(config.read_text()[:40])
    assert f"{FILE_NAME} is not valid JSON" in refusal(folder)
    config.unlink()
    assert f"it has no {FILE_NAME}" in refusal(folder)


def test_of_two_checkpoints_the_last_by_name_counts_as_in_the_published_tool(folder):
    newer = folder / "checkpoints" / CHECKPOINT.replace("epoch=3", "epoch=4")
    newer.write_bytes(b"")
    assert find_checkpoint(folder) == newer
    assert f"{newer.name} is not a complete checkpoint" in refusal(folder)


def test_a_semantic_or_an_instance_folder_is_no_labelling_folder(tmp_path):
    for kind in ("semantic", "instance"):
        write = getattr(published_folders, f"write_{kind}")
        told = refusal(write(tmp_path / kind))
        assert "'modeltype': expected 'classifier' of a labelling model, found" in told
        assert "give the folder of a labelling model" in told


@pytest.mark.parametrize(
    ("heads", "sentence"),
    [
        ({"VERT": 23}, "its head VERT has 23 classes, expected 24"),
        ({"VERTEX": 24}, "its head VERTEX has 24 classes, expected 26"),
        ({"VERTEXACT": 24}, "its head VERTEXACT has 24 classes, expected 26"),
        ({"VERT": 24, "VERTREL": 5}, "its head VERTREL has 5 classes, expected 6"),
        ({"VERT": 24, "REGION": 2}, "its head REGION has 2 classes, expected 3"),
        ({"VERT": 24, "FULLYVISIBLE": 1}, "its head FULLYVISIBLE has 1 classes, expected 2"),
        (
            {"REGION": 3, "VERTREL": 6},
            "none of its heads names levels: expected one of VERT, VERTEX",
        ),
        ({}, "none of its heads names levels"),
        ({"VERT": "24"}, "its group_2_n_channel is {'VERT': '24'}, expected classes by head"),
        (None, "its group_2_n_channel is None, expected classes by head"),
    ],
)
def test_heads_that_cannot_tell_levels_are_named(folder, heads, sentence):
    write_checkpoint(folder, spoiled(lambda found: found.update(group_2_n_channel=heads)))
    told = refusal(folder)
    assert sentence in told and CHECKPOINT in told


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.update(dim=3), "unknown hyper-parameter 'dim'; known are group_2_n_channel, opt"),
        (lambda s: s.pop("opt"), "lack group_2_n_channel or opt"),
        (lambda s: s.pop("group_2_n_channel"), "lack group_2_n_channel or opt"),
        (lambda s: s.update(opt={"backbone": "DENSENET121"}), "expected the options of its training"),
        (lambda s: setattr(s["opt"], "in_channel", 2), "its in_channel is 2, expected 1"),
        (lambda s: setattr(s["opt"], "backbone", ["x"]), "its backbone is ['x']; known are DENSENET121"),
        (lambda s: setattr(s["opt"], "final_size", 32), "its final_size is 32, expected three even edges"),
        (lambda s: setattr(s["opt"], "final_size", (32, 32)), "its final_size is (32, 32), expected"),
        (lambda s: setattr(s["opt"], "final_size", "big"), "its final_size is 'big', expected three"),
        (lambda s: setattr(s["opt"], "classification_linear", "no"), "is 'no', expected true or false"),
    ],
)  # fmt: skip
def test_hyper_parameters_that_are_missing_or_unknown_are_named(folder, change, sentence):
    write_checkpoint(folder, spoiled(change))
    told = refusal(folder)
    assert sentence in told and CHECKPOINT in told


def test_a_checkpoint_of_something_else_is_told(folder):
    write_checkpoint(folder, {**SETTINGS_ALONE, "hyper_parameters": [1]})
    assert "it is not a labelling network" in refusal(folder)
    write_checkpoint(folder, [1, 2])
    assert "has no state_dict, so it is not a Lightning checkpoint" in refusal(folder)


BIAS = "classification_heads.VERT.2.bias"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.pop(BIAS), f"1 tensors are missing (such as ['{BIAS}']), 0 are unknown"),
        (lambda s: s.update(more=torch.ones(1)), "missing (such as []), 1 are unknown (such as ['more'])"),
        (lambda s: s.update({BIAS: torch.ones(23)}), f"size mismatch for {BIAS}"),
        (lambda s: s.update({BIAS: [1.0] * 24}), f"expected tensors, but '{BIAS}' is not a tensor"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_named(folder, whole, change, sentence):
    state = dict(whole["state_dict"])
    change(state)
    write_checkpoint(folder, {**whole, "state_dict": state})
    told = refusal(folder)
    assert sentence in told and CHECKPOINT in told


def test_heads_that_the_weights_do_not_have_are_named(folder, whole):
    more = spoiled(lambda found: found["group_2_n_channel"].update(VERTT13=2))
    write_checkpoint(folder, {**more, "state_dict": whole["state_dict"]})
    assert "missing (such as ['classification_heads.VERTT13.0.weight'])" in refusal(folder)
    fewer = spoiled(lambda found: found.update(group_2_n_channel={"VERT": 24}))
    write_checkpoint(folder, {**fewer, "state_dict": whole["state_dict"]})
    assert "are unknown (such as ['classification_heads.REGION.0.weight'])" in refusal(folder)


class Malicious:
    def __reduce__(self):
        return os.system, (f"touch {MARK}",)


@pytest.mark.parametrize("place", ["state_dict", "hyper_parameters", "callbacks"])
def test_an_extra_pickled_object_is_refused_by_its_type_and_does_not_run(
    folder, tmp_path, monkeypatch, place
):
    monkeypatch.chdir(tmp_path)
    content = spoiled(lambda found: None)
    content[place] = {**content.get(place, {}), "extra": Malicious()}
    write_checkpoint(folder, content)
    told = refusal(folder)
    assert "was refused: it contains an object of type posix.system" in told
    assert CHECKPOINT in told
