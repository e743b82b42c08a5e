"""Train the semantic network with one of nnU-Net v2's own trainers, on the same cases and plans.

The trainer decides about epochs, augmentation and learning rate; a budget's steps and minutes do not count. Labels of
left and right structures forbid mirroring along the third axis, so trainers that do it are refused.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from wirbel.learning.checkpoints import FINAL, LATEST, read_pickled_checkpoint
from wirbel.learning.precision import choose_device
from wirbel.learning.semantic.semantic_plans import CONFIGURATION, DATASET_NAME, PLANS_NAME
from wirbel.learning.training.training_cases import TrainingFolder

LEFT_RIGHT_AXIS = 2
INSTEAD = "choose one such as nnUNetTrainerNoMirroring or nnUNetTrainer_onlyMirror01"
LOGGED = ("lrs", "train_losses", "val_losses", "mean_fg_dice")


def train_with_nnunet(
    folder: TrainingFolder, name: str, partial: bool, device: str = "auto", threads: int = 0
) -> Path:
    """Train until the trainer is done, continuing an interrupted training; return the final checkpoint.

    Parameters
    ----------
    folder : TrainingFolder
        The training cases, and where checkpoints go.
    name : str
        A trainer class of nnU-Net.
    partial : bool
        Whether the cases have partial labels, which only Wirbel's trainer understands.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Processes that augment patches; 0: nnU-Net decides.

    Raises
    ------
    ValueError
        If the trainer cannot be used.
    """
    output = output_folder(folder, name)
    if (output / FINAL).exists():
        return output / FINAL
    if partial:
        raise ValueError(
            f"nnunet_trainer {name}: expected cases that are labelled completely, found partial labels; "
            "leave nnunet_trainer empty"
        )
    os.environ.update(folder.environment())
    os.environ |= {"nnUNet_compile": "false"}
    if threads:
        os.environ |= {"nnUNet_n_proc_DA": str(threads - 1)}
    trainer = _build(folder, name, device)
    if (output / LATEST).exists():
        trainer.load_checkpoint(str(output / LATEST))
    trainer.run_training()
    _write_losses(output)
    return output / FINAL


def output_folder(folder: TrainingFolder, name: str) -> Path:
    """Return where nnU-Net puts what a trainer makes."""
    return folder.results / DATASET_NAME / f"{name}__{PLANS_NAME}__{CONFIGURATION}" / "fold_0"


def _build(folder: TrainingFolder, name: str, device: str) -> Any:
    plans, dataset = (
        json.loads((folder.dataset / f"{file}.json").read_text(encoding="utf-8"))
        for file in (PLANS_NAME, "dataset")
    )
    trainer = _trainer_class(name)(
        {**plans, "continue_training": False}, CONFIGURATION, 0, dataset, choose_device(device)
    )
    trainer.initialize()
    *_, mirrored = trainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
    if LEFT_RIGHT_AXIS in (mirrored or ()):
        raise ValueError(f"nnunet_trainer {name} mirrors left and right: {INSTEAD}")
    return trainer


def _trainer_class(name: str) -> Any:
    """Return a trainer of nnU-Net; its own search imports every trainer, also those whose packages are missing."""
    import nnunetv2.training.nnUNetTrainer as package

    for path in sorted(Path(package.__path__[0]).rglob("*.py")):
        if f"\nclass {name}(" in path.read_text(encoding="utf-8"):
            parts = path.relative_to(package.__path__[0]).with_suffix("").parts
            return getattr(import_module(".".join((package.__name__, *parts))), name)
    raise ValueError(f"nnunet_trainer {name}: nnU-Net has no such trainer; {INSTEAD}")


def _write_losses(output: Path) -> None:
    """Write `losses.tsv` as Wirbel's own trainer does."""
    log = read_pickled_checkpoint(output / FINAL)["logging"]
    lines = ["epoch\tminutes\tlearning_rate\ttraining\tvalidation\tdice\n"]
    started = log["epoch_start_timestamps"][0]
    for number, ended in enumerate(log["epoch_end_timestamps"]):
        rate, *scores = (float(log[key][number]) for key in LOGGED)
        row = [number + 1, round((ended - started) / 60, 2), f"{rate:.2e}"]
        lines.append("\t".join(map(str, row + [round(score, 4) for score in scores])) + "\n")
    (output / "losses.tsv").write_text("".join(lines), encoding="utf-8")
