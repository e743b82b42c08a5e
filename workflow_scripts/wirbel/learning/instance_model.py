"""An instance model folder, ready to label cut-outs.

`inference_config.json` (with the network's settings under `network`) beside `weights.safetensors`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from wirbel.learning.checkpoints import Weights, load_into, read_weights
from wirbel.learning.instance_network import InstanceNetwork, UNet, one_hot
from wirbel.learning.parallel import sample_threads, usable_threads
from wirbel.learning.precision import CHANNELS_LAST, choose_device, quick_arithmetic
from wirbel.models.inference_config import InferenceConfig, read_inference_config

WEIGHTS_NAME = "weights.safetensors"
GPU_BATCH = 4


def read_model_weights(folder: Path) -> Weights:
    """Return the weights of a model folder; raises ValueError where there are none."""
    if not (folder / WEIGHTS_NAME).is_file():
        raise ValueError(f"{folder} is no instance model folder: there is no {WEIGHTS_NAME} in it")
    return read_weights(folder / WEIGHTS_NAME)[0]


class InstanceModel:
    """A loaded network."""

    def __init__(self, folder: Path, device: str = "auto", threads: int = 0) -> None:
        self.config: InferenceConfig = read_inference_config(folder)
        if self.config.network is None:
            raise ValueError(f"{folder} describes no network of ours in its inference_config.json")
        self.device = choose_device(device)
        self.settings = InstanceNetwork.from_dict(self.config.network)
        network = UNet(self.settings)
        load_into(network, read_model_weights(folder))
        self.network = network.to(self.device, memory_format=CHANNELS_LAST).eval()
        self.pool = sample_threads(usable_threads(threads))

    def predict(self, cutouts: np.ndarray) -> np.ndarray:
        """Return 0 background, 1 above, 2 centre, 3 below for subregion cut-outs (n, P, I, R)."""
        out = np.zeros(cutouts.shape, np.uint8)
        size = 1 if self.device.type == "cpu" else GPU_BATCH
        parts = [slice(start, start + size) for start in range(0, len(cutouts), size)]
        results: Iterator = (self._labels(cutouts[part]) for part in parts)
        if self.device.type == "cpu":
            results = self.pool.map(lambda part: self._labels(cutouts[part]), parts)
        for part, labels in zip(parts, results, strict=True):
            out[part] = labels
        return out

    @torch.inference_mode()
    def _labels(self, cutouts: np.ndarray) -> np.ndarray:
        inputs = one_hot(torch.from_numpy(cutouts), self.config.mapping, self.settings.channels)
        inputs = inputs.to(self.device).contiguous(memory_format=CHANNELS_LAST)
        with quick_arithmetic(self.device):
            return self.network(inputs).argmax(1).to(torch.uint8).cpu().numpy()
