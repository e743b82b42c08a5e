"""A semantic model folder, ready to segment arrays on the model grid.

The folder is a standard nnU-Net v2 results folder (plans.json, dataset.json, fold_*/checkpoint) beside an
`inference_config.json`. Weights come from safetensors or from nnU-Net's .pth, opened safely.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import binary_fill_holes, find_objects

from wirbel.learning.checkpoints import Weights, load_into, read_pickled_checkpoint, read_weights
from wirbel.learning.nnunet_plans import build_network, read_plans
from wirbel.learning.parallel import sample_threads, usable_threads
from wirbel.learning.precision import CHANNELS_LAST, choose_device
from wirbel.learning.sliding_window import SlidingWindow
from wirbel.models.inference_config import InferenceConfig, read_inference_config

CHECKPOINTS = ("checkpoint_final.safetensors", "checkpoint_final.pth")
BYTES_PER_SCORE = 4
MOST_BYTES_OF_SCORES = 1_500_000_000
"""Class scores of more than this are computed in blocks along the spine; keeps a scan below 6 GB."""


class SemanticModel:
    """A loaded network; `normalise` and `segment` may run in different threads."""

    def __init__(self, folder: Path, device: str = "auto", threads: int = 0) -> None:
        self.config: InferenceConfig = read_inference_config(folder)
        threads = usable_threads(threads)
        results = _results_folder(folder)
        self.folds, facts = _read_folds(results, self.config.available_folds)
        self.plans = read_plans(
            json.loads((results / "plans.json").read_text()),
            json.loads((results / "dataset.json").read_text()),
            facts["configuration"],
        )
        mirror_axes = facts["mirror_axes"] if self.config.inference_augmentation else None
        self.window = SlidingWindow(
            self.plans.patch_size,
            self.config.default_step_size,
            tuple(mirror_axes or ()),
            choose_device(device),
            sample_threads(threads),
            2 * threads,
        )
        self.network = build_network(self.plans)
        load_into(self.network, self.folds[0])
        self.network.to(self.window.device, memory_format=CHANNELS_LAST).eval()
        self.label_table = _label_table(self.config)

    def normalise(self, image: np.ndarray) -> tuple[torch.Tensor, tuple[slice, ...]]:
        """Return (normalised tensor, box): the non-zero part of `image` (P, I, R), as in training.

        The tensor has nnU-Net's axis order; the box is in the image's own.
        """
        # in one memory order, since that of a sum decides its last digit
        data = np.array(image, np.float32, order="C").transpose(self.plans.transpose_forward)
        data, outside, box = crop_to_nonzero(data)
        data = np.ascontiguousarray(self.plans.normalisation.run(data, outside))[None]
        return torch.from_numpy(data), tuple(box[axis] for axis in self.plans.transpose_backward)

    @torch.inference_mode()
    def segment(self, data: torch.Tensor, box: tuple, shape: tuple[int, ...]) -> np.ndarray:
        """Return the label map (uint8, our numbers, axes P, I, R) of what `normalise` gave."""
        classes = np.concatenate([part.numpy() for part in self._classes(data)], axis=_along(data))
        out = np.zeros(shape, np.uint8)
        out[box] = self.label_table[classes].transpose(self.plans.transpose_backward)
        return out

    def _classes(self, data: torch.Tensor) -> Iterable[torch.Tensor]:
        """Yield the class of every voxel in blocks along the longest axis."""
        axis = _along(data) + 1
        patch = self.plans.patch_size[axis - 1]
        length = data.shape[axis]
        bytes_per_layer = BYTES_PER_SCORE * self.plans.heads * data[0].numel() / length
        core = max(patch, int(MOST_BYTES_OF_SCORES / bytes_per_layer) - 2 * patch)
        for start in range(0, length, core):
            stop = min(start + core, length)
            low, high = max(0, start - patch), min(length, stop + patch)
            scores = self._scores(data.narrow(axis, low, high - low))
            yield scores.narrow(axis, start - low, stop - start).argmax(0).to(torch.uint8).cpu()

    def _scores(self, data: torch.Tensor) -> torch.Tensor:
        """Return the mean class scores of all folds (heads, *shape)."""
        total = None
        for weights in self.folds:
            if len(self.folds) > 1:
                load_into(self.network, weights)
            scores = self.window.scores(self.network, data)
            total = scores if total is None else total.add_(scores)
        return total


def crop_to_nonzero(data: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[slice, ...]]:
    """Return (non-zero part of `data`, map of what lies outside, box), as nnU-Net crops.

    The map is -1 outside and 0 inside, where holes count as inside. An image of zeros stays whole.
    """
    inside = binary_fill_holes(data != 0)
    box = (find_objects(inside.view(np.int8)) or [tuple(slice(0, n) for n in data.shape)])[0]
    return data[box], np.where(inside[box], np.int8(0), np.int8(-1)), box


def _along(data: torch.Tensor) -> int:
    """Return the longest spatial axis of (C, x, y, z)."""
    return int(np.argmax(data.shape[1:]))


def _results_folder(folder: Path) -> Path:
    """Return where plans.json is: the folder itself, or the one folder below that has it."""
    found = [folder, *(path.parent for path in sorted(folder.rglob("plans.json")))]
    for candidate in found:
        if (candidate / "plans.json").exists():
            return candidate
    raise ValueError(f"{folder} is no semantic model folder: there is no plans.json in it")


def _read_folds(results: Path, wanted: Any) -> tuple[list[Weights], dict[str, Any]]:
    """Return the weights of all folds and what else the first checkpoint says."""
    names = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(names, int):  # published files give the number of folds
        names = range(names)
    loaded = [_read_fold(results / f"fold_{name}") for name in names]
    return [weights for weights, _ in loaded], loaded[0][1]


def read_first_fold(folder: Path) -> Weights:
    """Return the weights of a model folder's first fold; raises ValueError where there are none."""
    return _read_folds(_results_folder(folder), read_inference_config(folder).available_folds)[0][0]


def _read_fold(folder: Path) -> tuple[Weights, dict[str, Any]]:
    for name in CHECKPOINTS:
        path = folder / name
        if path.exists() and path.suffix == ".safetensors":
            weights, text = read_weights(path)
            axes = json.loads(text["inference_allowed_mirroring_axes"])
            return weights, {"configuration": text["configuration"], "mirror_axes": axes}
        if path.exists():
            checkpoint = read_pickled_checkpoint(path)
            return checkpoint["network_weights"], {
                "configuration": checkpoint["init_args"]["configuration"],
                "mirror_axes": checkpoint.get("inference_allowed_mirroring_axes"),
            }
    raise ValueError(f"{folder} holds no checkpoint; expected one of {', '.join(CHECKPOINTS)}")


def _label_table(config: InferenceConfig) -> np.ndarray:
    """Return our label number of every class index (uint8); classes without an entry are dropped."""
    table = np.zeros(256, np.uint8)
    for index, label in config.labels.items():
        table[index] = label
    return table
