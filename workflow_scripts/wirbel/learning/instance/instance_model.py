"""An instance model folder, ready to label cut-outs. `instance_weights` reads its formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from wirbel.core.inference_config import InferenceConfig
from wirbel.core.method.arithmetic import Arithmetic
from wirbel.core.method.names import TORCH
from wirbel.learning.heap import arrays_apart, arrays_together
from wirbel.learning.instance.instance_network import one_hot
from wirbel.learning.instance.instance_weights import WEIGHTS_NAME, load_network, read_model_weights
from wirbel.learning.parallel import sample_threads, usable_threads
from wirbel.learning.precision import (
    choose_device,
    memory_format,
    quick_arithmetic,
    strongest,
)
from wirbel.learning.processor.engine import Engine
from wirbel.models.folders.check import checked_folder

__all__ = ["WEIGHTS_NAME", "InstanceModel", "read_model_weights"]
GPU_BATCH = 4


class InstanceModel:
    """A loaded instance network.

    Parameters
    ----------
    folder : Path
        The model folder.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Threads on a CPU; 0 uses all available cores.
    arithmetic : Arithmetic
        With `Arithmetic.SPINEPS`, compute in single precision on every device.
    engine : str
        What computes on a CPU: "torch" or "openvino".

    Raises
    ------
    ModelError
        If the folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        device: str = "auto",
        threads: int = 0,
        arithmetic: Arithmetic = Arithmetic.QUICK,
        engine: str = TORCH,
    ) -> None:
        self.single_precision = arithmetic is Arithmetic.SPINEPS
        self.config: InferenceConfig = checked_folder(folder, "instance")
        self.device = choose_device(device)
        arrays_apart()
        network, self.channels = load_network(folder, self.config)
        self.layout = memory_format(self.device, self.single_precision)
        moved = network.to(self.device, memory_format=self.layout)  # type: ignore[call-overload]
        self.network = moved.eval()
        threads = usable_threads(threads)
        shape = (1, self.channels, *self.config.cutout_size)
        self.engine = Engine(self.network, shape, self.device, threads, engine)
        self.pool = sample_threads(threads)

    def predict(self, cutouts: np.ndarray) -> np.ndarray:
        """Label cut-outs.

        Parameters
        ----------
        cutouts : ndarray of uint8, shape (n, P, I, R)
            Subregion labels.

        Returns
        -------
        ndarray of uint8, shape (n, P, I, R)
            0 background, 1 vertebra above, 2 centre, 3 below.
        """
        out = np.zeros(cutouts.shape, np.uint8)
        size = 1 if self.device.type == "cpu" else GPU_BATCH
        parts = [slice(start, start + size) for start in range(0, len(cutouts), size)]
        results: Iterator = (self._labels(cutouts[part]) for part in parts)
        if self.device.type == "cpu":
            results = self.pool.map(lambda part: self._labels(cutouts[part]), parts)
        for part, labels in zip(parts, results, strict=True):
            out[part] = labels
            arrays_together()
        return out

    @torch.inference_mode()
    def _labels(self, cutouts: np.ndarray) -> np.ndarray:
        inputs = one_hot(torch.from_numpy(cutouts), self.config.mapping, self.channels)
        inputs = inputs.to(self.device).contiguous(memory_format=self.layout)
        with quick_arithmetic(self.device, self.single_precision):
            return strongest(self.engine.forward(inputs), 1).cpu().numpy()
