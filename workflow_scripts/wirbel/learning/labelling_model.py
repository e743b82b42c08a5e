"""A labelling model folder in the published format, ready to classify cut-outs.

`inference_config.json`, and somewhere below it one checkpoint, see `labelling_checkpoint`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from wirbel.core.level_cutouts import LevelInput
from wirbel.learning.checkpoints import load_into
from wirbel.learning.labelling_checkpoint import find_checkpoint, read_checkpoint
from wirbel.learning.labelling_network import LabellingClassifier
from wirbel.learning.precision import choose_device
from wirbel.models.inference_config import FILE_NAME, InferenceConfig, read_inference_config

CLASSIFIER = "classifier"
BATCH = {"cpu": 1, "cuda": 8}


class LabellingModel:
    """A loaded network; `wanted` is the input that it wants."""

    def __init__(self, folder: Path, device: str = "auto") -> None:
        config = read_inference_config(folder)
        _check(config, folder / FILE_NAME)
        path = find_checkpoint(folder)
        described, weights = read_checkpoint(path)
        network = LabellingClassifier(described.network)
        try:
            load_into(network, weights)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        self.device = choose_device(device)
        self.network = network.to(self.device).eval()
        axes = tuple(config.model_expected_orientation)
        self.wanted = LevelInput(axes, config.spacing_for, described.size, described.turned)

    @torch.inference_mode()
    def classify(self, cutouts: np.ndarray) -> dict[str, np.ndarray]:
        """Return head -> probabilities (n, classes) of normalised cut-outs (n, P, I, R)."""
        size = BATCH[self.device.type]
        parts = [
            self.network(torch.from_numpy(cutouts[at : at + size, None]).to(self.device))
            for at in range(0, len(cutouts), size)
        ]
        return {
            head: torch.cat([part[head] for part in parts]).float().softmax(1).cpu().numpy()
            for head in parts[0]
        }


def _check(config: InferenceConfig, source: Path) -> None:
    """Raise ValueError when the settings are those of another kind of model."""
    if config.modeltype != CLASSIFIER:
        raise ValueError(
            f"{source}: field 'modeltype': expected {CLASSIFIER!r} of a labelling model, found "
            f"{config.modeltype!r}; give the folder of a labelling model"
        )
    if len(config.expected_inputs) != 1:
        raise ValueError(
            f"{source}: field 'expected_inputs': a labelling network has one input, found "
            f"{', '.join(config.expected_inputs) or 'none'}"
        )
