"""A training within a budget of steps and minutes, which goes on where it was stopped.

Batches depend on the seed and their number alone, so a training that was killed sees the same ones again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wirbel.learning.checkpoints import (
    FINAL,
    LATEST,
    Weights,
    load_into,
    read_pickled_checkpoint,
    write_pickled_checkpoint,
)
from wirbel.learning.parallel import sample_threads, usable_threads
from wirbel.learning.precision import CHANNELS_LAST, gradient_scaler
from wirbel.learning.training.background import BackgroundBatches
from wirbel.learning.training.schedule import learning_rate_factor
from wirbel.learning.training.training_settings import Budget

Batch = tuple[torch.Tensor, ...]
"""Tensors whose first axis counts the samples."""
LARGEST_GRADIENT = 12.0


class StepTrainer:
    """The loop; a subclass says what is trained.

    Parameters
    ----------
    output : Path
        Folder for checkpoints and `losses.tsv`.
    build : callable
        Returns the network with random weights; called after the generator was seeded.
    budget : Budget
        How long and how to train.
    device : torch.device
        Where to compute.
    threads : int
        Threads on a CPU, a sample each; 0 uses all available cores.
    """

    name = ""
    figures: tuple[str, ...] = ()
    """Columns of `losses.tsv` that `judged` returns."""
    side_by_side = True
    """On a CPU, compute one sample per thread. Batch normalisation needs whole batches instead."""

    def __init__(
        self,
        output: Path,
        build: Callable[[], torch.nn.Module],
        budget: Budget,
        device: torch.device,
        threads: int = 0,
    ) -> None:
        torch.manual_seed(budget.seed)
        self.output, self.budget, self.device = output, budget, device
        self.pool = sample_threads(usable_threads(threads))
        if not self.side_by_side:
            torch.set_num_threads(usable_threads(threads))
        self.network = build()
        self.network.to(device, memory_format=CHANNELS_LAST)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), budget.learning_rate, weight_decay=budget.weight_decay
        )
        self.scaler = gradient_scaler(device)
        self.step, self.minutes_before, self.started = 0, 0.0, time.monotonic()

    # ---- what a subclass says

    def make(self, number: int) -> Batch:
        """Return training batch `number`, from the seed and the number alone."""
        raise NotImplementedError

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss of a batch or of a part of one."""
        raise NotImplementedError

    def judged(self) -> list[float]:
        """Return `figures` of the kept-out cases; the network is in evaluation mode."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """Return what else a checkpoint holds."""
        raise NotImplementedError

    def start_weights(self, folder: Path) -> Weights:
        """Return the weights of a model folder to start from."""
        raise NotImplementedError

    # ---- the loop

    def run(self) -> None:
        """Train until the budget is used up."""
        self._resume()
        batches = BackgroundBatches(self.make, self.step)
        self.started = time.monotonic()
        try:
            self._train(batches)
        finally:
            batches.close()
        self._save(FINAL)

    def _train(self, batches: BackgroundBatches) -> None:
        losses: list[float] = []
        while self.share_used() < 1:
            losses.append(self._train_step(next(batches)))
            self.step += 1
            if self.step % self.budget.steps_per_epoch == 0:
                self._report(float(np.mean(losses)))
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

    def _train_step(self, batch: Batch) -> float:
        rate = learning_rate_factor(self.share_used(), self.budget.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = self.budget.learning_rate * rate
        if self.device.type == "cpu" and self.side_by_side:
            loss = self._gradients_side_by_side(batch)
        else:
            loss = self._gradients_at_once(batch)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss

    def _gradients_at_once(self, batch: Batch) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(batch)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        return float(loss.detach())

    def _gradients_side_by_side(self, batch: Batch) -> float:
        """Compute one sample per thread; average losses and gradients."""
        parameters = list(self.network.parameters())

        def one(number: int):
            loss = self.loss(tuple(part[number : number + 1] for part in batch))
            return float(loss.detach()), torch.autograd.grad(loss, parameters)

        results = list(self.pool.map(one, range(len(batch[0]))))
        for parameter, *parts in zip(parameters, *(grads for _, grads in results), strict=True):
            parameter.grad = sum(parts) / len(parts)
        return float(np.mean([loss for loss, _ in results]))

    def _report(self, training_loss: float) -> None:
        """Append one line to losses.tsv: the training loss, and figures of kept-out cases."""
        self.network.eval()
        with torch.no_grad():
            figures = self.judged()
        self.network.train()
        path = self.output / "losses.tsv"
        if not path.exists():
            path.write_text("\t".join(("step", "minutes", "training", *self.figures)) + "\n")
        row = [self.step, round(self.minutes(), 2), round(training_loss, 4)]
        row += [round(float(figure), 4) for figure in figures]
        with path.open("a") as file:
            file.write("\t".join(map(str, row)) + "\n")
        print(f"{self.name}:", *row, flush=True)

    def _save(self, name: str) -> None:
        checkpoint = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "budget": asdict(self.budget),
            "step": self.step,
            "minutes": self.minutes(),
            **self.facts(),
        }
        write_pickled_checkpoint(self.output / name, checkpoint)

    def _resume(self) -> None:
        if not (self.output / LATEST).exists():
            if self.budget.start_from:
                load_into(self.network, self.start_weights(Path(self.budget.start_from)))
            return
        checkpoint = read_pickled_checkpoint(self.output / LATEST)
        self.network.load_state_dict(checkpoint["network"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.step, self.minutes_before = checkpoint["step"], checkpoint["minutes"]
