"""Train the labelling network: cut-outs of simulated scans, one cross-entropy per head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from wirbel.learning.checkpoints import FINAL, Weights, newest_of
from wirbel.learning.labelling.labelling_checkpoint import read_checkpoint
from wirbel.learning.labelling.labelling_network import LabellingClassifier
from wirbel.learning.labelling.labelling_settings import LabellingSettings
from wirbel.learning.labelling.level_samples import (
    LevelCase,
    drawn_sample,
    plain_sample,
    prepare_case,
)
from wirbel.learning.labelling.level_scores import accuracy, macro_f1
from wirbel.learning.labelling.level_targets import UNKNOWN
from wirbel.learning.precision import choose_device, memory_format, quick_arithmetic
from wirbel.learning.training.step_trainer import Batch, StepTrainer
from wirbel.learning.training.training_cases import (
    TrainingFolder,
    on_model_grid,
    parted,
    read_case,
    read_image,
)
from wirbel.learning.training.training_settings import Budget
from wirbel.models.folders.labelling import find_checkpoint

MOST_CHECKS = 96
"""Kept-out vertebrae by which the network is judged."""
Spacing = tuple[float, float, float]


def train_labelling(
    folder: TrainingFolder,
    settings: LabellingSettings,
    spacing_mm: Spacing,
    budget: Budget,
    device: str = "auto",
    threads: int = 0,
) -> Path:
    """Train in this process, continuing an interrupted training; return the path of the final checkpoint.

    Parameters
    ----------
    folder : TrainingFolder
        The training cases, and where checkpoints go.
    settings : LabellingSettings
        The network.
    spacing_mm : tuple of three float
        Nominal voxel size of the cases along (P, I, R).
    budget : Budget
        How long and how to train.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Threads on a CPU; 0 uses all available cores.

    Raises
    ------
    ValueError
        If no case shows a vertebra.
    """
    output = _output(folder)
    output.mkdir(parents=True, exist_ok=True)
    if not (output / FINAL).exists():
        place = choose_device(device)
        _Training(folder, settings, spacing_mm, budget, place, threads).run()
    return output / FINAL


def newest_checkpoint(folder: TrainingFolder) -> Path:
    """Return the final checkpoint, or the latest of an unfinished training."""
    return newest_of(_output(folder))


def _output(folder: TrainingFolder) -> Path:
    return folder.root / "labelling"


class _Training(StepTrainer):
    name = "labelling"
    side_by_side = False

    def __init__(
        self,
        folder: TrainingFolder,
        settings: LabellingSettings,
        spacing_mm: Spacing,
        budget: Budget,
        device: torch.device,
        threads: int,
    ) -> None:
        self.settings, self.spacing_mm = settings, spacing_mm
        super().__init__(
            _output(folder),
            lambda: LabellingClassifier(settings.network()),
            budget,
            device,
            threads,
        )
        # oneDNN's bfloat16 gradients are garbage where a feature map's edge has two voxels: near this network's end
        self.single_precision = device.type == "cpu"
        self.format = memory_format(device, self.single_precision)
        self.network.to(memory_format=self.format)  # type: ignore[call-overload]
        self.figures = (
            "validation",
            *(f"accuracy_{head}" for head in settings.heads),
            f"f1_{settings.level_head}",
        )
        names, kept_out = parted(folder.case_names())
        self.cases = self._prepare(folder, names)
        if not self.cases:
            raise ValueError(
                f"{folder.cases}: expected simulated scans with vertebrae, found none; set `phantoms` in the section "
                "`data` above 0 and make the training data again"
            )
        self.checks = self._checks(self._prepare(folder, kept_out) or self.cases)
        self.judged_now: tuple[int, list[float]] | None = None

    def _prepare(self, folder: TrainingFolder, names: list[str]) -> list[LevelCase]:
        cases = [self._case(folder, name) for name in names]
        return [case for case in cases if case.labels]

    def _case(self, folder: TrainingFolder, name: str) -> LevelCase:
        maps = read_case(folder, name)
        arrays = (read_image(folder, name), maps["vertebra"], maps["subregion"])
        image, vertebra, subregion = (on_model_grid(a, self.spacing_mm) for a in arrays)
        return prepare_case(image, vertebra, subregion, self.settings)

    def _checks(self, cases: list[LevelCase]) -> list[Batch]:
        """Return unchanged cut-outs of the kept-out cases, evenly chosen if there are many."""
        places = [(case, label) for case in cases for label in case.labels]
        chosen = np.linspace(0, len(places) - 1, min(len(places), MOST_CHECKS)).round().astype(int)
        size = self.settings.cutout_size
        return [
            _batch([(plain_sample(case, label, size), case.targets[label])])
            for case, label in (places[n] for n in chosen)
        ]

    def make(self, number: int) -> Batch:
        """Return cut-outs (B, 1, P, I, R) and classes (B, heads) of batch `number`."""
        random = np.random.default_rng([self.budget.seed, number])
        size = self.settings.cutout_size
        samples = [
            drawn_sample(self.cases[int(random.integers(len(self.cases)))], size, random)
            for _ in range(self.budget.batch_size)
        ]
        return _batch(samples)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the mean of the heads' cross-entropies."""
        cutouts = batch[0].to(self.device).contiguous(memory_format=self.format)
        with quick_arithmetic(self.device, self.single_precision):
            answers = self.network(cutouts)
        return self._loss(answers, batch[1].to(self.device))

    def _loss(self, answers: dict[str, torch.Tensor], classes: torch.Tensor) -> torch.Tensor:
        parts = [
            known_cross_entropy(answers[head].float(), classes[:, place])
            for place, head in enumerate(self.settings.heads)
        ]
        return torch.stack(parts).mean()

    def judged(self) -> list[float]:
        """Return loss, accuracy of every head and F1 score of the level head, in single precision as in use."""
        results = list(self.pool.map(self._check, self.checks))
        found, known = (np.stack(part) for part in list(zip(*results, strict=True))[1:])
        level = self.settings.heads.index(self.settings.level_head)
        accuracies = [accuracy(found[:, n], known[:, n]) for n in range(known.shape[1])]
        figures = [
            float(np.mean([loss for loss, _, _ in results])),
            *accuracies,
            macro_f1(found[:, level], known[:, level]),
        ]
        self.judged_now = (self.step, figures)
        return figures

    def _check(self, batch: Batch) -> tuple[float, np.ndarray, np.ndarray]:
        with torch.inference_mode():
            answers = self.network(batch[0].to(self.device))
            loss = float(self._loss(answers, batch[1].to(self.device)))
        found = [int(answers[head].argmax(1)) for head in self.settings.heads]
        return loss, np.array(found), batch[1][0].numpy()

    def facts(self) -> dict[str, Any]:
        """Return the network's settings, and the F1 score of these weights."""
        if self.judged_now is None or self.judged_now[0] != self.step:
            self.network.eval()
            self.judged()
            self.network.train()
        assert self.judged_now is not None
        return {"settings": self.settings.as_dict(), "val_f1": self.judged_now[1][-1]}

    def start_weights(self, folder: Path) -> Weights:
        """Return the weights of a labelling model folder; its heads have to be the same."""
        return {
            name: value.float()
            for name, value in read_checkpoint(find_checkpoint(folder))[1].items()
        }


def known_cross_entropy(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy over the samples with a known class, 0 if there is none.

    Parameters
    ----------
    logits : Tensor, shape (B, classes)
        Of one head.
    classes : Tensor of int64, shape (B,)
        `UNKNOWN` where there is no target.
    """
    total = F.cross_entropy(logits, classes, ignore_index=UNKNOWN, reduction="sum")
    return total / (classes != UNKNOWN).sum().clamp_min(1)


def _batch(samples: list[tuple[np.ndarray, list[int]]]) -> Batch:
    cutouts, classes = zip(*samples, strict=True)
    return torch.from_numpy(np.stack(cutouts))[:, None], torch.tensor(classes)
