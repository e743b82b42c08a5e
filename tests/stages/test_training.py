"""From simulated scans to registered models, at a size that takes seconds.

The training scans are three cubes on a noisy picture; only the last tests make phantoms.
"""

import functools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from support.models import tiny_models
from support.models.cubes import cubes, real_scans

from wirbel.core import labels as L
from wirbel.io.foreign.label_schemes import read_scheme
from wirbel.learning.checkpoints import FINAL, LATEST, read_pickled_checkpoint
from wirbel.learning.instance import instance_trainer
from wirbel.learning.instance.instance_model import InstanceModel, read_model_weights
from wirbel.learning.semantic import semantic_trainer
from wirbel.learning.semantic.semantic_model import SemanticModel, read_first_fold
from wirbel.learning.training import training_data
from wirbel.learning.training.mixture import stored_targets
from wirbel.learning.training.real_cases import taught
from wirbel.learning.training.targets import CLASSES, classes_of, targets_of
from wirbel.learning.training.training_cases import TrainingFolder, write_case, write_descriptions
from wirbel.models.registry import find_model
from wirbel.phantom import make_phantom
from wirbel.stages import register_models, train_instance, train_semantic
from wirbel.stages import training_data as training_data_stage

pytestmark = pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning:nnunetv2")

SMALL = {name: list(v) if isinstance(v, tuple) else v for name, v in tiny_models.SMALL.items()}
BUDGET = {"steps": 6, "steps_per_epoch": 2, "batch_size": 2}
SPACING_MM = list(tiny_models.SPACING_MM)
SETTINGS = {
    "data": {"phantoms": 2, "first_seed": 5, "validation_cases": 1, "processes": 1},
    "semantic_network": {"spacing_mm": SPACING_MM, "patch_size": [32, 32, 4], **SMALL},
    "instance_network": {"spacing_mm": SPACING_MM, "cutout_size": [32, 32, 8], **SMALL},
    "semantic": BUDGET,
    "instance": BUDGET,
}
PHASES = {
    "semantic": (train_semantic, semantic_trainer.WirbelTrainer, "train_step"),
    "instance": (train_instance, instance_trainer._Training, "_train_step"),
}
STORED_WEIGHTS = {"semantic": read_first_fold, "instance": read_model_weights}
both = pytest.mark.parametrize("phase", PHASES)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A training folder with its cases and descriptions, before any training."""
    root = tmp_path_factory.mktemp("prepared")
    folder = TrainingFolder(root)
    for number in range(4):
        write_case(folder, f"cubes{number}", *cubes(number), tiny_models.SEMANTIC)
    write_descriptions(folder, tiny_models.SEMANTIC, 1)
    return root


@pytest.fixture
def settings(tmp_path) -> Path:
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(SETTINGS))
    return path


@pytest.fixture
def train(tmp_path, prepared, settings):
    """Train a phase in a folder of the given name; return the final checkpoint."""

    def run(phase: str, name: str, *more: str) -> dict:
        root = tmp_path / name
        if not root.exists():
            shutil.copytree(prepared, root)
        line = ["--settings", settings, "--folder", root, "--export", root / "models" / phase]
        assert PHASES[phase][0].main([str(p) for p in (*line, "--device", "cpu", *more)]) == 0
        return read_pickled_checkpoint(next(root.rglob(f"*/{FINAL}")))

    return run


def weights(checkpoint: dict) -> dict[str, torch.Tensor]:
    return (
        checkpoint["network_weights"] if "network_weights" in checkpoint else checkpoint["network"]
    )


def assert_same(one: dict, other: dict) -> None:
    for name, value in weights(one).items():
        assert torch.equal(value, weights(other)[name]), name


def kill_at(monkeypatch, phase: str, step: int) -> None:
    """Let the training die in its step number `step`, counted from 0."""
    _, trainer, method = PHASES[phase]
    real, steps = getattr(trainer, method), iter(range(1000))

    def dying(self, batch):
        if next(steps) == step:
            raise Killed
        return real(self, batch)

    monkeypatch.setattr(trainer, method, dying)


@both
def test_a_killed_training_ends_with_the_same_weights_as_an_undisturbed_one(
    phase, train, monkeypatch, tmp_path
):
    """Two steps make an epoch; the fourth step dies, so that step three is computed twice."""
    undisturbed = train(phase, "undisturbed", "--threads", "1")
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, phase, 3)
        train(phase, "killed", "--threads", "1")
    latest = next((tmp_path / "killed").rglob(LATEST))
    latest.with_name(f"{LATEST}.tmp").write_bytes(b"half a checkpoint")
    assert not (tmp_path / "killed" / "models").exists(), "nothing is exported before the end"
    assert_same(undisturbed, train(phase, "killed", "--threads", "1"))


@both
def test_threads_do_not_change_a_weight(phase, train):
    one, two = (train(phase, f"threads{n}", "--threads", str(n)) for n in (1, 2))
    assert_same(one, two)


@both
def test_a_finished_training_is_not_repeated(phase, train, monkeypatch):
    train(phase, "once", "--threads", "1")
    kill_at(monkeypatch, phase, 0)
    train(phase, "once", "--threads", "1")


@both
def test_training_changes_weights_and_writes_losses(phase, train, tmp_path):
    trained = weights(train(phase, "run", "--threads", "1"))
    assert all(torch.isfinite(value).all() for value in trained.values())
    folder = tmp_path / "run" / "models" / phase
    rows = (folder / "losses.tsv").read_text().splitlines()
    assert len(rows) == 1 + 3, "a heading and one row per epoch"
    assert "cases\t4" in (folder / "training.tsv").read_text()


@both
def test_a_training_can_start_from_a_trained_model(phase, train, tmp_path, settings):
    """With a learning rate of nearly nothing it ends with the weights that it started from."""
    train(phase, "first", "--threads", "1")
    exported = tmp_path / "first" / "models" / phase
    budget = {**SETTINGS[phase], "learning_rate": 1e-12, "start_from": str(exported)}
    settings.write_text(yaml.safe_dump({**SETTINGS, phase: budget}))
    second = weights(train(phase, "second", "--threads", "1"))
    for name, value in STORED_WEIGHTS[phase](exported).items():
        assert torch.allclose(second[name], value, atol=1e-6), name


def test_a_share_of_the_weights_that_a_training_started_from_can_be_kept(train, tmp_path, settings):
    train("semantic", "first", "--threads", "1")
    before = tmp_path / "first" / "models" / "semantic"
    budget = {**SETTINGS["semantic"], "start_from": str(before), "kept_share": 0.25}
    settings.write_text(yaml.safe_dump({**SETTINGS, "semantic": budget}))
    trained = weights(train("semantic", "second", "--threads", "1"))
    exported = read_first_fold(tmp_path / "second" / "models" / "semantic")
    for name, value in read_first_fold(before).items():
        mean = 0.75 * trained[name] + 0.25 * value
        assert torch.allclose(exported[name], mean, atol=1e-3), name
    assert SemanticModel(tmp_path / "second" / "models" / "semantic", "cpu", 1)


@both
def test_an_unfinished_training_can_be_exported(phase, train, monkeypatch, tmp_path):
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, phase, 3)
        train(phase, "half", "--threads", "1")
    with pytest.raises(StopIteration):  # there is no final checkpoint to return
        train(phase, "half", "--export-only")
    assert find_model(str(tmp_path / "half" / "models" / phase), phase)


def test_the_trained_folders_can_be_registered_found_and_run(train, tmp_path):
    for phase in PHASES:
        train(phase, "both", "--threads", "1")
    listed = tmp_path / "checkout" / "config" / "models.yaml"
    line = ["--trained", tmp_path / "both" / "models", "--registry", listed]
    assert register_models.main([str(part) for part in line]) == 0
    image, subregion, _ = cubes(9)
    semantic = SemanticModel(find_model("builtin", "semantic", listed).folder, "cpu", 1)
    found = semantic.segment(semantic.normalise(image.astype(np.float32)), image.shape)
    assert set(np.unique(found)) <= {0, *L.SUBREGION_NAMES}
    instance = InstanceModel(find_model("builtin", "instance", listed).folder, "cpu", 1)
    cutouts = np.pad(subregion[None, :32, :32], ((0, 0), (0, 0), (0, 0), (1, 1)))
    assert instance.predict(cutouts).shape == (1, 32, 32, 8)


@pytest.fixture
def quick_phantoms(monkeypatch) -> list[int]:
    """Small lumbar phantoms instead of large ones; returns the list of seeds that were made."""
    made = []

    @functools.wraps(make_phantom)
    def quick(seed, region=None, **options):
        made.append(seed)
        return make_phantom(seed, "lumbar", in_plane_mm=2.5, slice_mm=5.0, **options)

    monkeypatch.setattr(training_data, "make_phantom", quick)
    return made


def test_training_data_are_made_once_and_missing_cases_are_made_again(
    tmp_path, settings, quick_phantoms
):
    line = ["--settings", str(settings), "--folder", str(tmp_path / "train")]
    assert training_data_stage.main(line) == 0
    folder = TrainingFolder(tmp_path / "train")
    assert folder.case_names() == ["phantom00000005", "phantom00000006"]
    assert quick_phantoms == [5, 6]
    lost = folder.cases / "phantom00000006.npz"
    before = dict(np.load(lost))
    lost.unlink()
    assert training_data_stage.main(line) == 0
    assert quick_phantoms == [5, 6, 6]
    again = dict(np.load(lost))
    for name in ("image", "subregion", "vertebra"):
        np.testing.assert_array_equal(before[name], again[name])


def test_a_case_holds_labels_on_the_images_grid(tmp_path, settings, quick_phantoms):
    line = ["--settings", str(settings), "--folder", str(tmp_path / "train")]
    assert training_data_stage.main(line) == 0
    case = np.load(TrainingFolder(tmp_path / "train").cases / "phantom00000005.npz")
    assert case["image"].shape == case["subregion"].shape == case["vertebra"].shape
    inside = case["image"][case["subregion"] == L.CANAL].astype(float)
    beside = case["image"][case["subregion"] == L.ARCUS].astype(float)
    assert np.median(inside) > 1.5 * np.median(beside), "fluid is bright, bone is dark in T2"


def test_real_scans_with_partial_labels_are_trained_with(
    tmp_path, settings, quick_phantoms, monkeypatch
):
    """Two scans are trained with and one is kept out; the training is killed once, and its folder is exported."""
    real = real_scans(tmp_path / "real") | {"validation": ["03"]}
    settings.write_text(yaml.safe_dump({**SETTINGS, "real": [real]}))
    root = tmp_path / "train"
    line = ["--settings", str(settings), "--folder", str(root)]
    assert training_data_stage.main(line) == 0
    folder = TrainingFolder(root)
    assert folder.partial_names() == [f"cubes_sub-{n}" for n in ("01", "02", "03")]
    stored = json.loads(folder.mixture.read_text())
    assert [group["share"] for group in stored["groups"]] == [0.5, 0.5]
    (split,) = json.loads((folder.dataset / "splits_final.json").read_text())
    assert split["train"] == ["phantom00000005", "cubes_sub-01", "cubes_sub-02"]
    assert split["val"] == ["phantom00000006", "cubes_sub-03"]
    table = stored_targets(stored).table()
    target = np.load(folder.partial / "cubes_sub-01.npz")["target"]
    _, subregion, _ = cubes(20)
    assert table[target[15, 20, 3]].sum() == len(L.POSTERIOR_ELEMENTS) + 1, "any part of a vertebra"
    assert subregion[15, 20, 3] == L.BODY_BORDER
    assert table[target[15, 2, 3]].all(), "nothing is known about what the scheme ignores"

    train = [*line, "--export", str(root / "models"), "--device", "cpu", "--threads", "1"]
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, "semantic", 3)
        train_semantic.main(train)
    assert train_semantic.main(train) == 0
    rows = (root / "models" / "losses.tsv").read_text().splitlines()
    assert len(rows) == 1 + 3 and "nan" not in rows[-1]
    assert "real_cases\t3" in (root / "models" / "training.tsv").read_text()
    assert find_model(str(root / "models"), "semantic")


def test_real_scans_alone_are_enough_to_train_with(tmp_path, settings):
    real = real_scans(tmp_path / "real") | {"share": 1.0}
    data = {**SETTINGS["data"], "phantoms": 0}
    settings.write_text(yaml.safe_dump({**SETTINGS, "data": data, "real": [real]}))
    root = tmp_path / "train"
    line = ["--settings", str(settings), "--folder", str(root)]
    assert training_data_stage.main(line) == 0
    folder = TrainingFolder(root)
    (split,) = json.loads((folder.dataset / "splits_final.json").read_text())
    assert split["train"] == split["val"] == folder.partial_names()
    train = [*line, "--export", str(root / "models"), "--device", "cpu", "--threads", "1"]
    assert train_semantic.main(train) == 0
    with pytest.raises(ValueError, match="the instance network learns from them alone"):
        train_instance.main(train)


def test_a_teacher_chooses_only_among_the_structures_that_a_label_allows():
    """It is sure of a body in voxel 0 (a vertebra) and in voxel 1 (background), and unsure in voxel 2 (a vertebra)."""
    targets = targets_of([read_scheme("spider_merged")])
    vertebra = targets.number_of(classes_of(frozenset(L.VERTEBRA_SUBREGIONS)))
    body = next(iter(classes_of(frozenset({L.BODY}))))

    class Teacher:
        def normalise(self, image):
            return image

        def probabilities(self, image, shape):
            sure = np.array([0.95, 0.95, 0.6])
            found = np.zeros((CLASSES, *shape), np.float32)
            found[body, :, 0, 0], found[0, :, 0, 0] = sure, 1 - sure
            return found

    given = np.array([vertebra, 0, vertebra], np.uint8)[:, None, None]
    learnt = taught(given, np.zeros((3, 1, 1)), Teacher(), targets, 0.9)
    assert learnt.ravel().tolist() == [body, 0, vertebra]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"share": 1.5}, "shares above 0 that add up to at most 1, found cubes 1.5"),
        ({"scheme": "nothing"}, "label scheme nothing: expected one of"),
        ({"labels": "empty"}, "expected one label map sub-01_"),
        ({"hair": 1}, "unknown key 'hair'"),
    ],
)
def test_mistakes_about_real_scans_are_named(change, message, tmp_path, settings, quick_phantoms):
    real = real_scans(tmp_path / "real") | change
    settings.write_text(yaml.safe_dump({**SETTINGS, "real": [real]}))
    with pytest.raises(ValueError, match=message):
        training_data_stage.main(["--settings", str(settings), "--folder", str(tmp_path / "train")])
