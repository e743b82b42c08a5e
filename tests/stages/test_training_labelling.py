"""A labelling network learns levels from simulated scans, survives a kill, and is exported in the published format.

The training scans are three cubes, L1 to L3; the network has a single layer in each block.
"""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from support.models import tiny_models
from support.models.cubes import cubes

from wirbel.core.geometry import MODEL_AXES
from wirbel.core.labelling.level_cutouts import level_cutouts
from wirbel.learning.labelling import labelling_trainer
from wirbel.learning.labelling.labelling_checkpoint import read_checkpoint
from wirbel.learning.labelling.labelling_model import LabellingModel
from wirbel.learning.labelling.labelling_network import BLOCKS
from wirbel.learning.training.training_cases import TrainingFolder, on_model_grid, write_case
from wirbel.models.folders.labelling import find_checkpoint
from wirbel.models.registry import find_model
from wirbel.stages import register_models, train_labelling

pytestmark = pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning:nnunetv2")

HEADS = ["REGION", "VERT", "VERTREL", "FULLYVISIBLE"]
GRID = {"spacing_mm": list(tiny_models.SPACING_MM)}
SETTINGS = {
    "semantic_network": GRID,
    "labelling_network": {"backbone": "DENSENET121", "heads": HEADS, "cutout_size": [32, 32, 32]},
    "labelling": {"steps": 5, "steps_per_epoch": 2, "batch_size": 2},
}


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def small_backbone(monkeypatch):
    monkeypatch.setitem(BLOCKS, "DENSENET121", (1, 1, 1, 1))


@pytest.fixture
def train(tmp_path):
    """Train in a folder of the given name; return the exported model folder."""

    def run(name: str, *more: str, settings: dict = SETTINGS, named: bool = True) -> Path:
        root, path = tmp_path / name, tmp_path / "train.yaml"
        path.write_text(yaml.safe_dump(settings))
        for number in range(4):
            image, subregion, vertebra = cubes(number)
            arrays = (image, subregion, vertebra * named)
            write_case(TrainingFolder(root), f"cubes{number}", *arrays, tiny_models.SEMANTIC)
        target = root / "models" / "labelling"
        line = ["--settings", path, "--folder", root, "--export", target, "--threads", "1"]
        assert train_labelling.main([str(p) for p in (*line, "--device", "cpu", *more)]) == 0
        return target

    return run


def kill_at(monkeypatch, step: int) -> None:
    """Let the training die in its step number `step`, counted from 0."""
    real, steps = labelling_trainer._Training._train_step, iter(range(1000))

    def dying(self, batch):
        if next(steps) == step:
            raise Killed
        return real(self, batch)

    monkeypatch.setattr(labelling_trainer._Training, "_train_step", dying)


def test_a_killed_training_exports_the_same_bytes_as_an_undisturbed_one(train, monkeypatch):
    undisturbed = find_checkpoint(train("undisturbed"))
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, 3)
        train("killed")
    again = find_checkpoint(train("killed"))
    assert again.name == undisturbed.name
    assert again.read_bytes() == undisturbed.read_bytes()
    with monkeypatch.context() as patched:
        kill_at(patched, 0)
        train("killed")  # a finished training is only exported again


def test_the_exported_folder_answers_about_a_scans_vertebrae(train):
    folder = train("run")
    assert find_model(str(folder), "labelling")
    model = LabellingModel(folder, "cpu")
    assert (model.wanted.axes, model.wanted.size) == (MODEL_AXES, (32, 32, 32))
    assert not model.wanted.turned
    image, subregion, vertebra = (on_model_grid(a, tiny_models.SPACING_MM) for a in cubes(9))
    cutouts = level_cutouts(image, vertebra, subregion, model.wanted)
    answers = model.classify(np.stack(list(cutouts.values())))
    shapes = {head: values.shape for head, values in answers.items()}
    assert shapes == {"REGION": (3, 3), "VERT": (3, 24), "VERTREL": (3, 6), "FULLYVISIBLE": (3, 2)}


def test_a_network_may_have_larger_voxels_than_the_cases_and_the_same_slices(train):
    network = {**SETTINGS["labelling_network"], "in_plane_mm": 4.0}
    grid = {**GRID, "slices_mm": [5.0, 7.0]}
    changed = {"semantic_network": grid, "labelling_network": network}
    wanted = LabellingModel(train("coarse", settings=SETTINGS | changed), "cpu").wanted
    assert wanted.spacing_for((0.5, 0.5, 6.1)) == (4.0, 4.0, 6.1)


def test_the_folder_tells_how_the_training_went(train):
    folder = train("run")
    with (folder / "losses.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 2, "one row per epoch"
    assert {"training", "validation", "accuracy_VERT", "accuracy_VERTREL", "f1_VERT"} <= set(
        rows[0]
    )
    facts = dict(line.split("\t") for line in (folder / "training.tsv").read_text().splitlines())
    assert facts["steps"] == "5" and facts["cases"] == "4"
    assert f"val_f1={float(facts['val_f1']):.4f}_" in find_checkpoint(folder).name
    card = (folder / "README.md").read_text()
    assert "Model card: labelling network" in card and "last twentieth" in card
    assert (folder / "curves.png").stat().st_size > 1000


def test_levels_that_can_be_told_apart_are_learnt(train):
    """The three cubes lie at the top, in the middle and at the bottom of the scan."""
    budget = {"steps": 60, "steps_per_epoch": 60, "batch_size": 6, "learning_rate": 0.003}
    folder = train("run", settings={**SETTINGS, "labelling": budget})
    with (folder / "losses.tsv").open() as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert float(row["accuracy_VERT"]) == 1.0 and float(row["f1_VERT"]) == 1.0
    assert find_checkpoint(folder).name == "step=60-val_f1=1.0000_valf1-weights.ckpt"


def test_a_training_can_start_from_a_trained_model(train):
    """With a learning rate of nearly nothing it ends with the parameters that it started from."""
    first = train("first")
    budget = {**SETTINGS["labelling"], "learning_rate": 1e-12, "start_from": str(first)}
    second = train("second", settings={**SETTINGS, "labelling": budget})
    before, after = (read_checkpoint(find_checkpoint(folder))[1] for folder in (first, second))
    for name, value in before.items():
        if "running" not in name and "num_batches" not in name:
            assert torch.allclose(after[name], value, atol=1e-6), name


def test_a_model_with_other_heads_is_no_start(train):
    first = train("first")
    network = {**SETTINGS["labelling_network"], "heads": ["VERT"]}
    budget = {**SETTINGS["labelling"], "start_from": str(first)}
    with pytest.raises(ValueError, match="the weights do not fit the network"):
        train("second", settings={"labelling_network": network, "labelling": budget})


def test_an_unfinished_training_can_be_exported_and_the_next_export_replaces_it(train, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, 3)
        train("half")
    folder = train("half", "--export-only")
    assert find_checkpoint(folder).name.startswith("step=2-")
    train("half")
    (left,) = folder.glob("*.ckpt")
    assert left.name.startswith("step=5-")


def test_it_is_registered_beside_the_other_networks(train, tmp_path):
    trained = train("run").parent
    tiny_models.write_semantic(trained / "semantic")
    tiny_models.write_instance(trained / "instance")
    listed = tmp_path / "checkout" / "config" / "models.yaml"
    line = ["--trained", trained, "--name", "mine", "--registry", listed]
    assert register_models.main([str(part) for part in line]) == 0
    model = find_model("mine", "labelling", listed)
    assert LabellingModel(model.folder, "cpu").wanted.size == (32, 32, 32)


def test_without_a_section_in_the_settings_nothing_is_trained(train, capsys):
    with pytest.raises(SystemExit):
        train("none", settings={"semantic_network": GRID})
    assert "has no section `labelling`" in capsys.readouterr().err


def test_cases_without_vertebrae_are_named(train):
    with pytest.raises(ValueError, match="expected simulated scans with vertebrae, found none"):
        train("empty", named=False)
