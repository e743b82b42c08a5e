"""A labelling model folder in the published format, ready to classify cut-outs.

It has `inference_config.json` and, anywhere below it, one checkpoint; see `labelling_checkpoint`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from wirbel.core.labelling.level_cutouts import LevelInput
from wirbel.learning.filling import check_fit, filled, shapes_of, skeleton
from wirbel.learning.labelling.labelling_checkpoint import read_checkpoint
from wirbel.learning.labelling.labelling_network import LabellingClassifier
from wirbel.learning.precision import choose_device
from wirbel.models.folders.check import checked_folder
from wirbel.models.folders.labelling import find_checkpoint

BATCH = {"cpu": 1, "cuda": 8}


class LabellingModel:
    """A loaded labelling network; `wanted` describes its input.

    Parameters
    ----------
    folder : Path
        The model folder.
    device : str
        "auto", "cpu" or "cuda".

    Raises
    ------
    ModelError
        If the folder cannot be used.
    """

    def __init__(self, folder: Path, device: str = "auto") -> None:
        config = checked_folder(folder, "labelling")
        path = find_checkpoint(folder)
        described, weights = read_checkpoint(path)

        def build() -> torch.nn.Module:
            return LabellingClassifier(described.network)

        check_fit(skeleton(build, path), shapes_of(weights), path)
        network = filled(build, {name: value.float() for name, value in weights.items()}, path)
        self.device = choose_device(device)
        self.network = network.to(self.device).eval()
        self.wanted = LevelInput(
            config.model_expected_orientation,
            config.spacing_for,
            described.size,
            described.turned,
        )

    @torch.inference_mode()
    def classify(self, cutouts: np.ndarray) -> dict[str, np.ndarray]:
        """Return the probabilities of every head.

        Parameters
        ----------
        cutouts : ndarray of float32, shape (n, P, I, R)
            Normalised intensities.

        Returns
        -------
        dict of str to ndarray, shape (n, classes)
            Head -> probabilities.
        """
        size = BATCH[self.device.type]
        parts = [
            self.network(torch.from_numpy(cutouts[at : at + size, None]).to(self.device))
            for at in range(0, len(cutouts), size)
        ]
        return {
            head: torch.cat([part[head] for part in parts]).float().softmax(1).cpu().numpy()
            for head in parts[0]
        }
