"""Labelling folders with something wrong in them: one sentence that says where and what, and nothing else happens."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import published_folders
import pytest
import torch
from labelling_folder import CHECKPOINT, HEADS, checkpoint, write_labelling

from wirbel.learning.labelling_model import LabellingModel
from wirbel.models.inference_config import FILE_NAME

MARK = "was-here"


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    return write_labelling(tmp_path_factory.mktemp("labelling") / "model")


@pytest.fixture
def folder(intact, tmp_path):
    """A folder of one's own to spoil."""
    return shutil.copytree(intact, tmp_path / "model")


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


def spoil(folder: Path, change) -> None:
    """Change the content of a folder's checkpoint."""
    path = folder / "checkpoints" / CHECKPOINT
    content = torch.load(path, weights_only=False)
    change(content)
    torch.save(content, path)


def settings(content) -> dict:
    return content["hyper_parameters"]


def test_the_folder_that_is_spoiled_here_is_loaded_as_it_is(intact):
    assert LabellingModel(intact, "cpu").wanted.size == (32, 32, 32)


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
    for length in (0, 1000, len(whole) // 2, len(whole) - 100):
        weights.write_bytes(whole[:length])
        assert f"{CHECKPOINT} is no complete checkpoint; copy or fetch it again" in refusal(folder)
    weights.unlink()
    assert "there is no *val_f1=*valf1-weights.ckpt in it" in refusal(folder)
    config.write_text(config.read_text()[:40])
    assert f"{FILE_NAME} is not valid JSON" in refusal(folder)
    config.unlink()
    assert f"it has no {FILE_NAME}" in refusal(folder)


def test_of_two_checkpoints_the_last_by_name_counts_as_in_the_published_tool(folder):
    newer = checkpoint(final_size=(64, 32, 32))
    torch.save(newer, folder / "checkpoints" / CHECKPOINT.replace("epoch=3", "epoch=4"))
    assert LabellingModel(folder, "cpu").wanted.size == (64, 32, 32)
    (folder / "checkpoints" / CHECKPOINT).write_bytes(b"")
    assert LabellingModel(folder, "cpu").wanted.size == (64, 32, 32)


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
            "none of its heads tells levels: expected one of VERT, VERTEX",
        ),
        ({}, "none of its heads tells levels"),
        ({"VERT": "24"}, "its group_2_n_channel is {'VERT': '24'}, expected classes by head"),
        (None, "its group_2_n_channel is None, expected classes by head"),
    ],
)
def test_heads_that_cannot_tell_levels_are_named(folder, heads, sentence):
    spoil(folder, lambda content: settings(content).update(group_2_n_channel=heads))
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
        (lambda s: setattr(s["opt"], "backbone", ["x"]), "its backbone is ['x'], known are DENSENET121"),
        (lambda s: setattr(s["opt"], "final_size", 32), "its final_size is 32, expected three even edges"),
        (lambda s: setattr(s["opt"], "final_size", (32, 32)), "its final_size is (32, 32), expected"),
        (lambda s: setattr(s["opt"], "final_size", "big"), "its final_size is 'big', expected three"),
        (lambda s: setattr(s["opt"], "classification_linear", "no"), "is 'no', expected true or false"),
    ],
)  # fmt: skip
def test_hyper_parameters_that_are_missing_or_unknown_are_named(folder, change, sentence):
    spoil(folder, lambda content: change(settings(content)))
    told = refusal(folder)
    assert sentence in told and CHECKPOINT in told


def test_a_checkpoint_of_something_else_is_told(folder):
    spoil(folder, lambda content: content.update(hyper_parameters=[1]))
    assert "it is no labelling network" in refusal(folder)
    torch.save([1, 2], folder / "checkpoints" / CHECKPOINT)
    assert "holds no state_dict, so it is no Lightning checkpoint" in refusal(folder)


BIAS = "classification_heads.VERT.2.bias"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.pop(BIAS), f"1 tensors are missing (such as ['{BIAS}']), 0 are unknown"),
        (lambda s: s.update(more=torch.ones(1)), "missing (such as []), 1 are unknown (such as ['more'])"),
        (lambda s: s.update({BIAS: torch.ones(23)}), f"size mismatch for {BIAS}"),
        (lambda s: s.update({BIAS: [1.0] * 24}), f"is no Lightning checkpoint: {BIAS} is no tensor"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_named(folder, change, sentence):
    spoil(folder, lambda content: change(content["state_dict"]))
    told = refusal(folder)
    assert sentence in told and CHECKPOINT in told


def test_heads_that_the_weights_do_not_have_are_named(folder):
    more = {**HEADS, "VERTT13": 2}
    spoil(folder, lambda content: settings(content).update(group_2_n_channel=more))
    assert "missing (such as ['classification_heads.VERTT13.0.weight'])" in refusal(folder)
    fewer = {"VERT": 24}
    spoil(folder, lambda content: settings(content).update(group_2_n_channel=fewer))
    assert "are unknown (such as ['classification_heads.REGION.0.weight'])" in refusal(folder)


class Malicious:
    def __reduce__(self):
        return os.system, (f"touch {MARK}",)


@pytest.mark.parametrize("place", ["state_dict", "hyper_parameters", "callbacks"])
def test_an_extra_pickled_object_is_refused_by_its_type_and_does_not_run(
    folder, tmp_path, monkeypatch, place
):
    monkeypatch.chdir(tmp_path)
    content = checkpoint()
    content.setdefault(place, {})["extra"] = Malicious()
    torch.save(content, folder / "checkpoints" / CHECKPOINT)
    told = refusal(folder)
    assert "was refused: it holds an object of type posix.system" in told
    assert CHECKPOINT in told
