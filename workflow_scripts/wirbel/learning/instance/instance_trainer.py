"""Train the instance network: cut-outs with simulated errors, Dice and cross-entropy loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from wirbel.learning.checkpoints import FINAL, Weights, newest_of
from wirbel.learning.instance.instance_model import read_model_weights
from wirbel.learning.instance.instance_network import OUTPUTS, InstanceNetwork, UNet, one_hot
from wirbel.learning.instance.instance_samples import (
    Variation,
    VertebraCase,
    draw_sample,
    prepare_case,
)
from wirbel.learning.instance.instance_weights import read_published
from wirbel.learning.instance.predicted_cases import read_predicted
from wirbel.learning.instance.published_network import PublishedUNet
from wirbel.learning.precision import (
    CHANNELS_LAST,
    choose_device,
    gradients_fail_in_bfloat16,
    quick_arithmetic,
)
from wirbel.learning.training.step_trainer import Batch, StepTrainer
from wirbel.learning.training.training_cases import TrainingFolder, parted, read_case
from wirbel.learning.training.training_settings import Budget
from wirbel.models.folders.instance import find_published

VALIDATION_BATCHES = 12


def train_instance(
    folder: TrainingFolder,
    network: InstanceNetwork,
    mapping: dict[int, int],
    budget: Budget,
    device: str = "auto",
    threads: int = 0,
    predicted: Path | None = None,
) -> Path:
    """Train in this process, continuing an interrupted training; return the path of the final
    checkpoint.

    Parameters
    ----------
    folder : TrainingFolder
        The training cases, and where checkpoints go.
    network : InstanceNetwork
        Settings of the network.
    mapping : dict of int to int
        Subregion label -> channel.
    budget : Budget
        How long and how to train.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Threads on a CPU; 0 uses all available cores.
    predicted : Path, optional
        Maps that `predict_cases` made; the budget's `predicted_share` of the samples takes them.
    """
    output = _output(folder)
    output.mkdir(parents=True, exist_ok=True)
    if not (output / FINAL).exists():
        place = choose_device(device)
        _Training(folder, network, mapping, budget, place, threads, predicted).run()
    return output / FINAL


def newest_checkpoint(folder: TrainingFolder) -> Path:
    """Return the final checkpoint, or the latest of an unfinished training."""
    return newest_of(_output(folder))


def _output(folder: TrainingFolder) -> Path:
    return folder.root / "instance"


class _Training(StepTrainer):
    name = "instance"
    figures = ("dice_above", "dice_centre", "dice_below")

    def __init__(
        self, folder, network, mapping, budget, device, threads, predicted: Path | None
    ) -> None:
        self.settings, self.mapping = network, mapping
        self.channels = 1 + max(mapping.values()) if network.published_width else network.channels
        super().__init__(
            _output(folder), lambda: _built(network, self.channels), budget, device, threads
        )
        self.single_precision = gradients_fail_in_bfloat16(
            device, network.cutout_size, network.strides()
        )
        self.variation = Variation(predicted_share=budget.predicted_share)
        self.predicted = predicted
        names, kept_out = parted(folder.case_names())
        self.cases = self._prepare(folder, names)
        if not self.cases:
            raise ValueError(
                f"{folder.cases}: expected simulated scans with vertebral bodies, found none; the instance network "
                "learns from them alone, so set `phantoms` in the section `data` (docs/training.md)"
            )
        checked = self._prepare(folder, kept_out)
        self.checks = [self._made(checked, -1 - number) for number in range(VALIDATION_BATCHES)]

    def _prepare(self, folder, names) -> list[VertebraCase]:
        cases = [prepare_case(**read_case(folder, name), **self._made_of(name)) for name in names]
        return [case for case in cases if case.centres]

    def _made_of(self, name: str) -> dict[str, np.ndarray]:
        """Return what a semantic network made of a case, by name."""
        return {} if self.predicted is None else {"predicted": read_predicted(self.predicted, name)}

    def make(self, number: int) -> Batch:
        """Return labels and targets of batch `number`."""
        return self._made(self.cases, number)

    def _made(self, cases: list[VertebraCase], number: int) -> Batch:
        random = np.random.default_rng([self.budget.seed, number % 2**31])
        size = self.settings.cutout_size
        samples = [
            draw_sample(cases[int(random.integers(len(cases)))], size, self.variation, random)
            for _ in range(self.budget.batch_size)
        ]
        labels, target = (torch.from_numpy(np.stack(part)) for part in zip(*samples, strict=True))
        return labels, target

    def _logits(self, labels: torch.Tensor) -> torch.Tensor:
        inputs = one_hot(labels, self.mapping, self.channels).to(self.device)
        with quick_arithmetic(self.device, self.single_precision):
            return self.network(inputs.contiguous(memory_format=CHANNELS_LAST)).float()

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss of labels and targets."""
        labels, target = batch
        return dice_and_cross_entropy(self._logits(labels), target.to(self.device))

    def judged(self) -> list[float]:
        """Return the mean Dice of the three vertebrae in unseen cut-outs."""
        return list(np.nanmean(np.array(list(self.pool.map(self._check, self.checks))), 0))

    def _check(self, batch: Batch) -> list[float]:
        with torch.no_grad():
            found = self._logits(batch[0]).argmax(1).cpu()
        return [_dice(found == value, batch[1] == value) for value in range(1, OUTPUTS)]

    def facts(self) -> dict[str, Any]:
        """Return the network's settings and its channels."""
        return {"settings": self.settings.as_dict(), "mapping": self.mapping}

    def start_weights(self, folder: Path) -> Weights:
        """Return the weights of an instance model folder."""
        if self.settings.published_width:
            return read_published(find_published(folder))[0]
        return read_model_weights(folder)


def _built(settings: InstanceNetwork, channels: int) -> torch.nn.Module:
    if settings.published_width:
        return PublishedUNet(settings.published_width, channels)
    return UNet(settings)


def dice_and_cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return cross-entropy minus the mean soft Dice of the three vertebrae.

    Soft Dice is 2 |a b| / (|a| + |b|), summed over the cut-out. For an absent vertebra it measures
    how much of it was invented.

    Parameters
    ----------
    logits : Tensor, shape (B, 4, P, I, R)
        Output of the network.
    target : Tensor, shape (B, P, I, R)
        Classes 0 to 3.
    """
    probability = logits.softmax(1)
    truth = F.one_hot(target.long(), OUTPUTS).movedim(-1, 1).to(probability.dtype)
    axes = tuple(range(2, logits.ndim))
    shared = (probability * truth).sum(axes)[:, 1:]
    total = (probability.sum(axes) + truth.sum(axes))[:, 1:]
    dice = (2 * shared + 1) / (total + 1)
    return F.cross_entropy(logits, target.long()) - dice.mean()


def _dice(found: torch.Tensor, truth: torch.Tensor) -> float:
    total = int(found.sum()) + int(truth.sum())
    return float("nan") if not truth.any() else 2 * int((found & truth).sum()) / total
