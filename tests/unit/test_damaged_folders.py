"""Damaged model folders of every kind: one sentence each, within a second, and before the network takes any memory."""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path

import pytest
from support.models import damage, labelling_folder, published_folders, tiny_models
from support.models.damage import CONFIG, DATASET, PLANS

from wirbel.learning import filling
from wirbel.learning.instance.instance_model import InstanceModel
from wirbel.learning.labelling.labelling_model import LabellingModel
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.models.errors import ModelError
from wirbel.models.folders.check import checked_folder

SECONDS = 4.0
MOST_KILOBYTES = 300_000
"""By which the process may grow over one damaged folder; the largest network here takes 50 MB."""
OUR_WEIGHTS = "fold_0/checkpoint_final.safetensors"
THEIR_WEIGHTS = "fold_0/checkpoint_final.pth"
INSTANCE_CHECKPOINT = "version_0/epoch=99_weights.ckpt"
LABELLING_CHECKPOINT = f"checkpoints/{labelling_folder.CHECKPOINT}"
OF_KIND = {"semantic": SemanticModel, "instance": InstanceModel, "labelling": LabellingModel}
REMEDY = re.compile("copy|fetch|give the folder|correct")

SEMANTIC_SETTINGS = {
    **damage.OF_CONFIG,
    **damage.OF_PLANS,
    **damage.OF_DATASET,
    **damage.of_text(CONFIG),
    **damage.of_text(PLANS),
    **damage.of_text(DATASET),
    **damage.of_fields(CONFIG, {"modeltype": ["unet"], "available_folds": [2, ["x"]], "labels": [{"200": 26}]}),
}  # fmt: skip
INIT_ARGS, AXES = "init_args", "inference_allowed_mirroring_axes"
NNUNET_ENTRIES = {
    "no arguments": lambda found: found.pop(INIT_ARGS),
    "arguments of text": lambda found: found.update(init_args="x"),
    "no configuration": lambda found: found[INIT_ARGS].pop("configuration"),
    "a configuration of numbers": lambda found: found[INIT_ARGS].update(configuration=3),
    "an unknown configuration": lambda found: found[INIT_ARGS].update(configuration="2d"),
    "axis 3": lambda found: found.update({AXES: (3,)}),
    "axes of text": lambda found: found.update({AXES: "012"}),
    "axes without end": lambda found: found.update({AXES: damage.nested(60)}),
}
LIGHTNING_ENTRIES = {
    "settings of text": lambda found: found.update(hyper_parameters="x"),
    "a network for slices": lambda found: found["hyper_parameters"].update(do2D=True),
    "do2D of text": lambda found: found["hyper_parameters"].update(do2D="yes"),
    "another width": lambda found: found["hyper_parameters"].update(dim=10**9),
    "a width of text": lambda found: found["hyper_parameters"].update(dim="8", num_channels=12),
}
LABELLING_ENTRIES = {
    "settings of text": lambda found: found.update(hyper_parameters="x"),
    "no options": lambda found: found["hyper_parameters"].pop("opt"),
    "options of text": lambda found: found["hyper_parameters"].update(opt="x"),
    "unknown setting": lambda found: found["hyper_parameters"].update(dim=3),
    "no heads": lambda found: found["hyper_parameters"].update(group_2_n_channel={}),
    "heads of text": lambda found: found["hyper_parameters"].update(group_2_n_channel={"VERT": "24"}),
    "a head of 10^9 classes": lambda found: _heads(found, REGION=10**9),
    "a head of no classes": lambda found: _heads(found, REGION=0),
    "a head more": lambda found: _heads(found, VERTT13=2),
    "a head with a dot": lambda found: _heads(found, **{"a.b": 2}),
    "a head without a name": lambda found: _heads(found, **{"": 2}),
    "a head on two lines": lambda found: _heads(found, **{"a\nb": 2}),
    "10000 heads": lambda found: _heads(found, **{f"H{n}": 2 for n in range(10_000)}),
    "heads without end": lambda found: found["hyper_parameters"].update(group_2_n_channel=damage.nested(60)),
    "a backbone without end": lambda found: _option(found, backbone=damage.nested(60)),
    "another backbone": lambda found: _option(found, backbone="DENSENET169"),
    "an unknown backbone": lambda found: _option(found, backbone="RESNET"),
    "two channels": lambda found: _option(found, in_channel=2),
    "a convolution": lambda found: _option(found, classification_conv=True),
    "linear of text": lambda found: _option(found, classification_linear="yes"),
    "no hidden layer": lambda found: _option(found, classification_linear=False),
    "a cut-out of 1200^3": lambda found: _option(found, final_size=(1200,) * 3),
    "a cut-out of 10^30": lambda found: _option(found, final_size=(10**30,) * 3),
    "a cut-out of text": lambda found: _option(found, final_size="big"),
    "a flat cut-out": lambda found: _option(found, final_size=(64, 64)),
    "negative variances": lambda found: _variances(found),
}  # fmt: skip


def _heads(found: dict, **more: int) -> None:
    found["hyper_parameters"]["group_2_n_channel"].update(more)


def _option(found: dict, **more: object) -> None:
    vars(found["hyper_parameters"]["opt"]).update(more)


def _variances(found: dict) -> None:
    name = next(name for name in found["state_dict"] if name.endswith("running_var"))
    found["state_dict"][name].fill_(-1)


COMMON = {**damage.OF_CONFIG, **damage.of_text(CONFIG)}
SETTINGS = {
    **damage.OF_CONFIG,
    **damage.OF_PLANS,
    **damage.OF_DATASET,
    **damage.of_text(CONFIG),
    **damage.of_text(PLANS),
    **damage.of_text(DATASET),
    **damage.of_fields(CONFIG, {"modeltype": ["unet"], "available_folds": [2, ["x"]], "labels": [{"200": 26}]}),
}  # fmt: skip
INIT_ARGS, AXES = "init_args", "inference_allowed_mirroring_axes"
NNUNET_ENTRIES = {
    "no arguments": lambda found: found.pop(INIT_ARGS),
    "arguments of text": lambda found: found.update(init_args="x"),
    "no configuration": lambda found: found[INIT_ARGS].pop("configuration"),
    "a configuration of numbers": lambda found: found[INIT_ARGS].update(configuration=3),
    "an unknown configuration": lambda found: found[INIT_ARGS].update(configuration="2d"),
    "axis 3": lambda found: found.update({AXES: (3,)}),
    "axes of text": lambda found: found.update({AXES: "012"}),
    "axes without end": lambda found: found.update({AXES: damage.nested(60)}),
}
LIGHTNING_ENTRIES = {
    "settings of text": lambda found: found.update(hyper_parameters="x"),
    "a network for slices": lambda found: found["hyper_parameters"].update(do2D=True),
    "do2D of text": lambda found: found["hyper_parameters"].update(do2D="yes"),
    "another width": lambda found: found["hyper_parameters"].update(dim=10**9),
    "a width of text": lambda found: found["hyper_parameters"].update(dim="8", num_channels=12),
}
LABELLING_ENTRIES = {
    "settings of text": lambda found: found.update(hyper_parameters="x"),
    "no options": lambda found: found["hyper_parameters"].pop("opt"),
    "options of text": lambda found: found["hyper_parameters"].update(opt="x"),
    "unknown setting": lambda found: found["hyper_parameters"].update(dim=3),
    "no heads": lambda found: found["hyper_parameters"].update(group_2_n_channel={}),
    "heads of text": lambda found: found["hyper_parameters"].update(group_2_n_channel={"VERT": "24"}),
    "a head of 10^9 classes": lambda found: _heads(found, REGION=10**9),
    "a head of no classes": lambda found: _heads(found, REGION=0),
    "a head more": lambda found: _heads(found, VERTT13=2),
    "a head with a dot": lambda found: _heads(found, **{"a.b": 2}),
    "a head without a name": lambda found: _heads(found, **{"": 2}),
    "a head on two lines": lambda found: _heads(found, **{"a\nb": 2}),
    "10000 heads": lambda found: _heads(found, **{f"H{n}": 2 for n in range(10_000)}),
    "heads without end": lambda found: found["hyper_parameters"].update(group_2_n_channel=damage.nested(60)),
    "a backbone without end": lambda found: _option(found, backbone=damage.nested(60)),
    "another backbone": lambda found: _option(found, backbone="DENSENET169"),
    "an unknown backbone": lambda found: _option(found, backbone="RESNET"),
    "two channels": lambda found: _option(found, in_channel=2),
    "a convolution": lambda found: _option(found, classification_conv=True),
    "linear of text": lambda found: _option(found, classification_linear="yes"),
    "no hidden layer": lambda found: _option(found, classification_linear=False),
    "a cut-out of 1200^3": lambda found: _option(found, final_size=(1200,) * 3),
    "a cut-out of 10^30": lambda found: _option(found, final_size=(10**30,) * 3),
    "a cut-out of text": lambda found: _option(found, final_size="big"),
    "a flat cut-out": lambda found: _option(found, final_size=(64, 64)),
    "negative variances": lambda found: _variances(found),
}  # fmt: skip


def _heads(found: dict, **more: int) -> None:
    found["hyper_parameters"]["group_2_n_channel"].update(more)


def _option(found: dict, **more: object) -> None:
    vars(found["hyper_parameters"]["opt"]).update(more)


def _variances(found: dict) -> None:
    name = next(name for name in found["state_dict"] if name.endswith("running_var"))
    found["state_dict"][name].fill_(-1)


def without(cases: dict, *starts: str) -> dict:
    """Return the cases but those of fields that this kind of folder does not use."""
    return {name: act for name, act in cases.items() if not name.startswith(starts)}


SEMANTIC_ONLY = without(SEMANTIC_SETTINGS, f"{CONFIG}: cutout_size", f"{CONFIG}: network 1")
"""Of settings that are bounded but not used by a semantic network, none is left out but what depends on it."""
INSTANCE_COMMON = {
    **without(damage.OF_CONFIG, f"{CONFIG}: available_folds 11"),
    **damage.of_text(CONFIG),
}
SETTINGS = {
    "own semantic": SEMANTIC_SETTINGS,
    "published semantic": SEMANTIC_SETTINGS,
    "own instance": {**COMMON, **damage.of_fields(CONFIG, damage.NETWORK_FIELDS)},
    "published instance": {
        **COMMON,
        **damage.of_fields(CONFIG, {"cutout_size": [[32, 32, 10], [8, 8, 8]], "modeltype": ["nnunet"]}),
    },
    "labelling": {
        **COMMON,
        **damage.of_fields(CONFIG, {"expected_inputs": [["img", "seg"]], "modeltype": ["nnunet"]}),
    },
}  # fmt: skip
"""What the main process finds, before there is a job."""
WEIGHTS = {
    "own semantic": {**damage.of_safetensors(OUR_WEIGHTS), **damage.of_metadata(OUR_WEIGHTS)},
    "published semantic": {
        **damage.of_checkpoint(THEIR_WEIGHTS, "network_weights"),
        **damage.entries(THEIR_WEIGHTS, NNUNET_ENTRIES),
    },
    "own instance": {
        **damage.of_safetensors("weights.safetensors"),
        **damage.of_fields(CONFIG, damage.AGAINST_WEIGHTS),
    },
    "published instance": {
        **damage.of_checkpoint(INSTANCE_CHECKPOINT, "state_dict"),
        **damage.entries(INSTANCE_CHECKPOINT, LIGHTNING_ENTRIES),
    },
    "labelling": {
        **damage.of_checkpoint(LABELLING_CHECKPOINT, "state_dict"),
        **damage.entries(LABELLING_CHECKPOINT, LABELLING_ENTRIES),
    },
}
"""What the job finds, when it opens the weights."""


@pytest.fixture(scope="module")
def intact(tmp_path_factory) -> dict[str, Path]:
    """A folder of every kind."""
    root = tmp_path_factory.mktemp("intact")
    return {
        "own semantic": tiny_models.write_semantic(root / "own_semantic"),
        "published semantic": published_folders.write_semantic(root / "published_semantic"),
        "own instance": tiny_models.write_instance(root / "own_instance"),
        "published instance": published_folders.write_instance(root / "published_instance"),
        "labelling": labelling_folder.write_labelling(root / "labelling"),
    }


def kind_of(folder: str) -> str:
    return folder.split()[-1]


def load(folder: str, path: Path) -> object:
    return OF_KIND[kind_of(folder)](path, "cpu")


def refusal(path: Path, attempt) -> str:
    """Return the sentence of a refusal, which takes little time and memory."""
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError) as told:
        attempt()
    assert time.process_time() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KILOBYTES
    sentence = str(told.value)
    assert str(path) in sentence and sentence.isprintable() and len(sentence) < 1200
    assert REMEDY.search(sentence), sentence
    return sentence


@pytest.fixture
def nothing_is_filled(monkeypatch):
    """From here on a network that is filled with weights is an error of the test."""

    def filled(*_):
        raise AssertionError("the damage was not noticed")

    monkeypatch.setattr(filling, "load_into", filled)


@pytest.mark.parametrize("folder", SETTINGS)
def test_what_is_damaged_here_is_otherwise_in_order(intact, folder):
    assert checked_folder(intact[folder], kind_of(folder))
    assert load(folder, intact[folder])
    assert len(SETTINGS[folder]) + len(WEIGHTS[folder]) >= 60


CASES = [(folder, name) for folder, cases in SETTINGS.items() for name in cases]


@pytest.mark.parametrize(("folder", "name"), CASES)
def test_damaged_settings_are_refused_by_the_main_process_and_by_the_job(
    intact, tmp_path, nothing_is_filled, folder, name
):
    path = damage.spoil(intact[folder], tmp_path / "model", SETTINGS[folder][name])
    told = refusal(path, lambda: checked_folder(path, kind_of(folder)))
    file = name.split(":")[0]
    assert file in told or "available_folds" in name
    assert refusal(path, lambda: load(folder, path)) == told


@pytest.mark.parametrize(
    ("folder", "name"), [(folder, name) for folder, cases in WEIGHTS.items() for name in cases]
)
def test_damaged_weights_are_refused_by_the_job(intact, tmp_path, nothing_is_filled, folder, name):
    path = damage.spoil(intact[folder], tmp_path / "model", WEIGHTS[folder][name])
    refusal(path, lambda: load(folder, path))
