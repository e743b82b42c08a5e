"""Train the translator on patches of pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from wirbel.core.preparation.hounsfield import expanded
from wirbel.learning.checkpoints import FINAL, Weights, newest_of
from wirbel.learning.precision import (
    CHANNELS_LAST,
    choose_device,
    gradients_fail_in_bfloat16,
    quick_arithmetic,
)
from wirbel.learning.training.appearance import change_appearance, drawn_look
from wirbel.learning.training.step_trainer import Batch, StepTrainer
from wirbel.learning.translation.pairs import Pair, PairGroup, make_pairs, read_pair
from wirbel.learning.translation.translator_network import (
    build_translator,
    standardised,
    start_weights,
    translation_loss,
)
from wirbel.learning.translation.translator_settings import TranslatorSettings

VALIDATION_BATCHES = 6
BONE_HU = 150.0
"""Above this is bone, whose error is told apart."""


def train_translator(
    root: Path, settings: TranslatorSettings, device: str = "auto", threads: int = 0
) -> Path:
    """Make the pairs and train in this process, continuing an interrupted training; return the final checkpoint.

    Parameters
    ----------
    root : Path
        Folder of the training.
    settings : TranslatorSettings
        Pairs, network and budget.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Threads on a CPU; 0 uses all available cores.
    """
    output = _output(root)
    output.mkdir(parents=True, exist_ok=True)
    if not (output / FINAL).exists():
        groups = make_pairs(root, settings)
        _Training(root, settings, groups, choose_device(device), threads).run()
    return output / FINAL


def newest_checkpoint(root: Path) -> Path:
    """Return the final checkpoint, or the latest of an unfinished training."""
    return newest_of(_output(root))


def _output(root: Path) -> Path:
    return root / "translator"


class _Training(StepTrainer):
    name = "translator"
    figures = ("validation", "error_hu", "error_bone_hu")

    def __init__(
        self,
        root: Path,
        settings: TranslatorSettings,
        groups: list[PairGroup],
        device: torch.device,
        threads: int,
    ) -> None:
        self.root, self.settings = root, settings.translator_network
        super().__init__(
            _output(root),
            lambda: build_translator(self.settings),
            settings.translator,
            device,
            threads,
        )
        self.single_precision = gradients_fail_in_bfloat16(
            device, self.settings.patch_size, self.settings.strides()
        )
        self.groups = [group for group in groups if group.training]
        kept = [name for group in groups for name in group.validation]
        kept = kept or [name for group in groups for name in group.training]
        self.checks = [self._check(kept, number) for number in range(VALIDATION_BATCHES)]

    def make(self, number: int) -> Batch:
        """Return patches of MR images, of tomograms, and where these are known."""
        random = np.random.default_rng([self.budget.seed, number])
        samples = [self._sample(random) for _ in range(self.budget.batch_size)]
        return _batch(samples)

    def _sample(self, random: np.random.Generator) -> tuple[torch.Tensor, ...]:
        shares = np.array([group.share for group in self.groups])
        group = self.groups[int(random.choice(len(shares), p=shares / shares.sum()))]
        pair = read_pair(self.root, group.training[int(random.integers(len(group.training)))])
        image, ct, known = patch_of(pair, self.settings.patch_size, random)
        image = change_appearance(image, drawn_look(int(random.integers(2**32))))
        if random.random() < 0.5:  # a tomogram has no names for left and right
            image, ct, known = (part.flip(3) for part in (image, ct, known))
        return image, ct, known

    def _check(self, names: list[str], number: int) -> Batch:
        """Return an unchanged patch of a kept-out pair."""
        random = np.random.default_rng([self.budget.seed, 2**31 + number])
        pair = read_pair(self.root, names[number % len(names)])
        return _batch([patch_of(pair, self.settings.patch_size, random)])

    def _found(self, images: torch.Tensor) -> torch.Tensor:
        images = images.to(self.device).contiguous(memory_format=CHANNELS_LAST)
        with quick_arithmetic(self.device, self.single_precision):
            return self.network(images).float()

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss of images, tomograms and where these are known."""
        images, ct, known = batch
        return translation_loss(self._found(images), ct.to(self.device), known.to(self.device))

    def judged(self) -> list[float]:
        """Return loss and errors (HU, of everything and of bone) of kept-out patches."""
        return list(np.nanmean(np.array(list(self.pool.map(self._judge, self.checks))), 0))

    def _judge(self, batch: Batch) -> list[float]:
        with torch.no_grad():
            found = self._found(batch[0]).cpu()
        _, ct, known = batch
        loss = float(translation_loss(found, ct, known))
        true_hu = expanded(ct.numpy())
        error_hu = np.abs(expanded(found.numpy()) - true_hu)
        bone = known.numpy() & (true_hu > BONE_HU)
        return [loss, *(_mean(error_hu[part]) for part in (known.numpy(), bone))]

    def facts(self) -> dict[str, Any]:
        """Return the network's settings and the number of pairs."""
        pairs = {group.name: len(group.training) for group in self.groups}
        return {"settings": self.settings.as_dict(), "pairs": pairs}

    def start_weights(self, folder: Path) -> Weights:
        """Return the weights of a translator, or those of a semantic network without its last layer."""
        return start_weights(folder, self.network)


def patch_of(
    pair: Pair, size: tuple[int, int, int], random: np.random.Generator
) -> tuple[torch.Tensor, ...]:
    """Cut a patch of `size` out of a pair at random; return image, tomogram and where it is known, each (1, P, I, R).

    A pair that is smaller is padded; there nothing is known.
    """
    lowest = [max(0, n - m) for n, m in zip(pair.image.shape, size, strict=True)]
    start = [int(random.integers(extra + 1)) for extra in lowest]
    box = tuple(slice(a, a + m) for a, m in zip(start, size, strict=True))
    parts = (standardised(pair.image), pair.ct.astype(np.float32), pair.known > 0)
    padded = []
    for part in parts:
        cut = part[box]
        missing = [(0, m - n) for n, m in zip(cut.shape, size, strict=True)]
        padded.append(torch.from_numpy(np.pad(cut, missing))[None])
    return tuple(padded)


def _batch(samples: list[tuple[torch.Tensor, ...]]) -> Batch:
    return tuple(torch.stack(part) for part in zip(*samples, strict=True))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
