"""A translator's model folder, ready to make tomograms of MR images on the model grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from wirbel.core.preparation.hounsfield import expanded
from wirbel.learning.checkpoints import read_weights
from wirbel.learning.filling import check_fit, filled, skeleton
from wirbel.learning.parallel import sample_threads, usable_threads
from wirbel.learning.precision import choose_device, memory_format
from wirbel.learning.semantic.semantic_plans import PatchNetwork
from wirbel.learning.semantic.sliding_window import SlidingWindow
from wirbel.learning.translation.translator_network import build_translator, standardised
from wirbel.models.folders.check import checked_folder
from wirbel.models.folders.weights import own_weights, read_header


class TranslatorModel:
    """A loaded translator.

    Parameters
    ----------
    folder : Path
        The model folder.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Threads on a CPU; 0 uses all available cores.

    Raises
    ------
    ModelError
        If the folder cannot be used.
    """

    def __init__(self, folder: Path, device: str = "auto", threads: int = 0) -> None:
        self.config = checked_folder(folder, "translator")
        settings = PatchNetwork.from_dict(self.config.network or {})
        path, threads = own_weights(folder, "translator"), usable_threads(threads)

        def build() -> torch.nn.Module:
            return build_translator(settings)

        check_fit(skeleton(build, folder), read_header(path).shapes, path)
        network, place = filled(build, read_weights(path)[0], path), choose_device(device)
        layout = memory_format(place)
        self.network = network.to(place, memory_format=layout).eval()  # type: ignore[call-overload]
        self.window = SlidingWindow(
            settings.patch_size,
            self.config.default_step_size,
            (),
            place,
            sample_threads(threads),
            threads + 1,
        )

    def translate(self, image: np.ndarray) -> np.ndarray:
        """Return the tomogram of an image.

        Parameters
        ----------
        image : ndarray, shape (P, I, R)
            An MR image as `resample` makes it, on the model grid.

        Returns
        -------
        ndarray of float32, shape (P, I, R)
            Hounsfield units.
        """
        data = torch.from_numpy(standardised(image))[None]
        return expanded(self.window.scores(self.network, data)[0].float().cpu().numpy())
