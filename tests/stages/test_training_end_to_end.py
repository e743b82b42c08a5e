"""A labelled BIDS folder becomes model folders, and a training that was killed leaves the same bytes."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from support.models import tiny_models
from support.models.cubes import cubes, real_scans

from wirbel.core import labels as L
from wirbel.learning.instance import instance_trainer
from wirbel.learning.instance.instance_model import InstanceModel
from wirbel.learning.semantic import semantic_trainer
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.learning.training import training_data as making
from wirbel.learning.training.training_cases import TrainingFolder, write_case
from wirbel.stages import train_instance, train_semantic, training_data

pytestmark = pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning:nnunetv2")

SMALL = {name: list(v) if isinstance(v, tuple) else v for name, v in tiny_models.SMALL.items()}
GRID = {"spacing_mm": list(tiny_models.SPACING_MM)}
BUDGET = {"steps": 4, "steps_per_epoch": 2, "batch_size": 2}
SETTINGS = {
    "data": {"phantoms": 3, "first_seed": 5, "validation_cases": 1, "processes": 1},
    "semantic_network": {**GRID, "patch_size": [32, 32, 4], **SMALL},
    "instance_network": {**GRID, "cutout_size": [32, 32, 8], "published_width": 8},
    "semantic": BUDGET,
    "instance": {**BUDGET, "batch_size": 1, "predicted_share": 0.5},
}
PHASES = {
    "semantic": (train_semantic, semantic_trainer.WirbelTrainer, "train_step"),
    "instance": (train_instance, instance_trainer._Training, "_train_step"),
}
MORE = {
    "semantic": lambda root: ["--published", str(root / "published" / "semantic")],
    "instance": lambda root: ["--semantic", str(root / "models" / "semantic")],
}
RUN = ("training.tsv", "losses.tsv", "curves.csv", "curves.png", "README.md")
"""Files that tell how long a training took."""


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Path:
    """Settings of a training with simulated cubes, and real ones of six participants in three folds."""

    def simulated(job):
        root, seed, _, network = job
        write_case(TrainingFolder(root), making.case_name(seed), *cubes(seed), network)
        return making.case_name(seed)

    monkeypatch.setattr(making, "make_case", simulated)
    real = real_scans(tmp_path / "real", [f"{n:02d}" for n in range(6)])
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump({**SETTINGS, "real": [real | {"folds": 3, "fold": 1}]}))
    return path


def train(settings: Path, root: Path, monkeypatch, killed: bool = False) -> dict[str, bytes]:
    """Run all stages, each training killed once in its third step if asked for; return the exported files."""
    line = ["--settings", str(settings), "--folder", str(root)]
    assert training_data.main(line) == 0
    for phase, (stage, trainer, method) in PHASES.items():
        more = [*line, "--export", str(root / "models" / phase), "--threads", "1"]
        more += MORE[phase](root)
        if killed:
            with monkeypatch.context() as patched, pytest.raises(Killed):
                dies_in_step(patched, trainer, method, 2)
                stage.main(more)
        assert stage.main(more) == 0
    folders = (root / "models", root / "published")
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    return {str(f.relative_to(root)): f.read_bytes() for f in files if f.name not in RUN}


def dies_in_step(monkeypatch, trainer, method: str, step: int) -> None:
    real, steps = getattr(trainer, method), iter(range(1000))

    def dying(self, batch):
        if next(steps) == step:
            raise Killed
        return real(self, batch)

    monkeypatch.setattr(trainer, method, dying)


def test_a_labelled_folder_becomes_networks_and_a_kill_changes_no_byte(
    settings, tmp_path, monkeypatch
):
    undisturbed = train(settings, tmp_path / "one", monkeypatch)
    assert train(settings, tmp_path / "two", monkeypatch, killed=True) == undisturbed
    splits = (tmp_path / "one" / "splits.tsv").read_text()
    rows = [line.split("\t") for line in splits.splitlines()[1:]]
    kept = {row[2]: row[3] for row in rows if row[4] == "validation" and row[1] == "cubes"}
    assert len(kept) == 2 and set(kept.values()) == {"1"}, "a third of six participants"
    assert (tmp_path / "two" / "splits.tsv").read_text() == splits

    image, subregion, _ = cubes(9)
    answers = []
    for folder in ("models", "published"):
        model = SemanticModel(tmp_path / "one" / folder / "semantic", "cpu", 1)
        given = model.normalise(image.astype(np.float32), tiny_models.SPACING_MM)
        answers.append(model.segment(given, image.shape))
    assert (answers[0] == answers[1]).mean() > 0.99
    assert set(np.unique(answers[0])) <= {0, *L.SUBREGION_NAMES}
    instance = InstanceModel(tmp_path / "one" / "models" / "instance", "cpu", 1)
    cutouts = np.pad(subregion[None, :32, :32], ((0, 0), (0, 0), (0, 0), (1, 1)))
    assert instance.predict(cutouts).shape == (1, 32, 32, 8)


def test_nnunets_own_trainer_trains_on_the_same_cases(settings, tmp_path, monkeypatch):
    """Two epochs of one step; everything else is nnU-Net's."""
    from nnunetv2.training.nnUNetTrainer.variants.data_augmentation.nnUNetTrainerNoMirroring import (
        nnUNetTrainerNoMirroring as Trainer,
    )

    monkeypatch.setattr(Trainer, "initialize", short(Trainer.initialize))
    chosen = {**SETTINGS, "semantic": {"nnunet_trainer": Trainer.__name__}}
    settings.write_text(yaml.safe_dump(chosen))
    line = ["--settings", str(settings), "--folder", str(tmp_path / "train")]
    assert training_data.main(line) == 0
    target = tmp_path / "model"
    line += ["--export", str(target), "--device", "cpu", "--threads", "1"]
    assert train_semantic.main(line) == 0
    assert len((target / "curves.csv").read_text().splitlines()) == 1 + 2
    assert SemanticModel(target, "cpu", 1).folds


def short(own):
    """Return a trainer's `initialize` that leaves little to do."""

    def initialize(self):
        own(self)
        self.num_epochs, self.num_iterations_per_epoch, self.num_val_iterations_per_epoch = 2, 1, 1

    return initialize


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ("nnUNetTrainer", "mirrors left and right"),
        ("nnUNetTrainerOfDreams", "nnU-Net has no such trainer"),
    ],
)
def test_trainers_that_cannot_be_used_are_refused(trainer, message, settings, tmp_path):
    settings.write_text(yaml.safe_dump({**SETTINGS, "semantic": {"nnunet_trainer": trainer}}))
    line = ["--settings", str(settings), "--folder", str(tmp_path / "train")]
    assert training_data.main(line) == 0
    with pytest.raises(ValueError, match=message):
        train_semantic.main([*line, "--export", str(tmp_path / "model"), "--device", "cpu"])


def test_partial_labels_are_refused_for_nnunets_own_trainers(settings, tmp_path):
    known = yaml.safe_load(settings.read_text())
    known["semantic"] = {"nnunet_trainer": "nnUNetTrainerNoMirroring"}
    settings.write_text(yaml.safe_dump(known))
    line = ["--settings", str(settings), "--folder", str(tmp_path / "train")]
    assert training_data.main(line) == 0
    with pytest.raises(ValueError, match="found partial labels"):
        train_semantic.main([*line, "--export", str(tmp_path / "model"), "--device", "cpu"])
