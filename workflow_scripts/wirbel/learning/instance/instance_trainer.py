"""Train the instance network: cut-outs with simulated errors, Dice and cross-entropy loss."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from wirbel.learning.checkpoints import (
    FINAL,
    LATEST,
    Weights,
    load_into,
    newest_of,
    read_pickled_checkpoint,
    write_pickled_checkpoint,
)
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
from wirbel.learning.parallel import sample_threads, usable_threads
from wirbel.learning.precision import (
    CHANNELS_LAST,
    choose_device,
    gradient_scaler,
    quick_arithmetic,
)
from wirbel.learning.training.background import BackgroundBatches
from wirbel.learning.training.schedule import learning_rate_factor
from wirbel.learning.training.training_cases import TrainingFolder, read_case
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


class _Training:
    def __init__(
        self, folder, network, mapping, budget, device, threads, predicted: Path | None
    ) -> None:
        torch.manual_seed(budget.seed)
        self.output, self.settings, self.mapping = _output(folder), network, mapping
        self.channels = 1 + max(mapping.values()) if network.published_width else network.channels
        self.budget, self.device = budget, device
        self.pool = sample_threads(usable_threads(threads))
        self.network = _built(network, self.channels)
        self.network.to(device, memory_format=CHANNELS_LAST)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), budget.learning_rate, weight_decay=budget.weight_decay
        )
        self.scaler = gradient_scaler(device)
        self.step, self.minutes_before, self.started = 0, 0.0, time.monotonic()
        self.variation = Variation(predicted_share=budget.predicted_share)
        self.predicted = predicted
        names = folder.case_names()
        kept = max(1, len(names) // 20) if len(names) > 1 else 0
        self.cases = self._prepare(folder, names[: len(names) - kept])
        self.validation_cases = self._prepare(folder, names[len(names) - kept :] or names)

    def _prepare(self, folder, names) -> list[VertebraCase]:
        cases = [prepare_case(**read_case(folder, name), **self._made_of(name)) for name in names]
        return [case for case in cases if case.centres]

    def _made_of(self, name: str) -> dict[str, np.ndarray]:
        """Return what a semantic network made of a case, by name."""
        return {} if self.predicted is None else {"predicted": read_predicted(self.predicted, name)}

    def run(self) -> None:
        """Train until the budget is used up."""
        self._resume()
        checks = [self._make(self.validation_cases, -1 - n) for n in range(VALIDATION_BATCHES)]
        batches = BackgroundBatches(lambda number: self._make(self.cases, number), self.step)
        self.started = time.monotonic()
        try:
            self._train(batches, checks)
        finally:
            batches.close()
        self._save(FINAL)

    def _train(self, batches: BackgroundBatches, checks: list) -> None:
        losses: list[float] = []
        while self.share_used() < 1:
            losses.append(self._train_step(next(batches)))
            self.step += 1
            if self.step % self.budget.steps_per_epoch == 0:
                self._report(float(np.mean(losses)), checks)
                self._save(LATEST)
                losses = []

    def share_used(self) -> float:
        """Return the fraction of the budget that is used up, 0 to 1."""
        share = self.step / self.budget.steps
        if self.budget.max_minutes:
            share = max(share, self.minutes() / self.budget.max_minutes)
        return min(share, 1.0)

    def minutes(self) -> float:
        """Return the minutes of training so far, earlier runs included."""
        return self.minutes_before + (time.monotonic() - self.started) / 60

    def _make(self, cases: list[VertebraCase], number: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Make batch `number` from the seed and the number alone."""
        random = np.random.default_rng([self.budget.seed, number % 2**31])
        size = self.settings.cutout_size
        samples = [
            draw_sample(cases[int(random.integers(len(cases)))], size, self.variation, random)
            for _ in range(self.budget.batch_size)
        ]
        labels, target = (torch.from_numpy(np.stack(part)) for part in zip(*samples, strict=True))
        return labels, target

    def _train_step(self, batch) -> float:
        rate = learning_rate_factor(self.share_used(), self.budget.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = self.budget.learning_rate * rate
        if self.device.type == "cpu":
            loss = self._gradients_side_by_side(batch)
        else:
            loss = self._gradients_at_once(batch)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 12)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss

    def _gradients_at_once(self, batch) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(*batch)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        return float(loss)

    def _gradients_side_by_side(self, batch) -> float:
        """Compute one sample per thread; average losses and gradients."""
        labels, target = batch
        parameters = list(self.network.parameters())

        def one(number: int):
            loss = self._loss(labels[number : number + 1], target[number : number + 1])
            return float(loss.detach()), torch.autograd.grad(loss, parameters)

        results = list(self.pool.map(one, range(len(labels))))
        for parameter, *parts in zip(parameters, *(grads for _, grads in results), strict=True):
            parameter.grad = sum(parts) / len(parts)
        return float(np.mean([loss for loss, _ in results]))

    def _logits(self, labels: torch.Tensor) -> torch.Tensor:
        inputs = one_hot(labels, self.mapping, self.channels).to(self.device)
        with quick_arithmetic(self.device):
            return self.network(inputs.contiguous(memory_format=CHANNELS_LAST)).float()

    def _loss(self, labels: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return dice_and_cross_entropy(self._logits(labels), target.to(self.device))

    def _report(self, training_loss: float, checks: list) -> None:
        """Append one line to losses.tsv: the training loss and the Dice of unseen cut-outs."""
        self.network.eval()
        with torch.no_grad():
            scores = np.array(list(self.pool.map(self._check, checks)))
        self.network.train()
        path = self.output / "losses.tsv"
        if not path.exists():
            path.write_text("step\tminutes\ttraining\tdice_above\tdice_centre\tdice_below\n")
        row = [self.step, round(self.minutes(), 2), round(training_loss, 4)]
        row += [round(float(score), 4) for score in np.nanmean(scores, 0)]
        with path.open("a") as file:
            file.write("\t".join(map(str, row)) + "\n")
        print("instance:", *row, flush=True)

    def _check(self, batch) -> list[float]:
        with torch.no_grad():
            found = self._logits(batch[0]).argmax(1).cpu()
        return [_dice(found == value, batch[1] == value) for value in range(1, OUTPUTS)]

    def _save(self, name: str) -> None:
        checkpoint = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "settings": self.settings.as_dict(),
            "mapping": self.mapping,
            "budget": asdict(self.budget),
            "step": self.step,
            "minutes": self.minutes(),
        }
        write_pickled_checkpoint(self.output / name, checkpoint)

    def _resume(self) -> None:
        if not (self.output / LATEST).exists():
            if self.budget.start_from:
                load_into(self.network, _start(Path(self.budget.start_from), self.settings))
            return
        checkpoint = read_pickled_checkpoint(self.output / LATEST)
        self.network.load_state_dict(checkpoint["network"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.step, self.minutes_before = checkpoint["step"], checkpoint["minutes"]


def _start(folder: Path, settings: InstanceNetwork) -> Weights:
    """Return the weights of a model folder to start from."""
    if settings.published_width:
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
