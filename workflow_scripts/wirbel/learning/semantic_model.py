"""A semantic model folder, ready to segment arrays on the model grid.

The folder is a standard nnU-Net v2 results folder (plans.json, dataset.json, fold_*/checkpoint) beside an
`inference_config.json`. Weights come from safetensors or from nnU-Net's .pth, opened safely.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from acvl_utils.cropping_and_padding.padding import pad_nd_image
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.inference.sliding_window_prediction import compute_gaussian
from nnunetv2.preprocessing.cropping.cropping import crop_to_nonzero
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from wirbel.learning.checkpoints import Weights, load_into, read_pickled_checkpoint, read_weights
from wirbel.learning.parallel import sample_threads, usable_threads
from wirbel.learning.precision import CHANNELS_LAST, choose_device, quick_arithmetic
from wirbel.models.inference_config import InferenceConfig, read_inference_config

CHECKPOINTS = ("checkpoint_final.safetensors", "checkpoint_final.pth")
BYTES_PER_SCORE = 4
MOST_BYTES_OF_SCORES = 1_500_000_000
"""Class scores of more than this are computed in blocks along the spine; keeps a scan below 6 GB."""


class SemanticModel:
    """A loaded network; `normalise` and `segment` may run in different threads."""

    def __init__(self, folder: Path, device: str = "auto", threads: int = 0) -> None:
        self.config: InferenceConfig = read_inference_config(folder)
        self.device = choose_device(device)
        self.threads = usable_threads(threads)
        results = _results_folder(folder)
        plans = json.loads((results / "plans.json").read_text())
        dataset = json.loads((results / "dataset.json").read_text())
        folds, facts = _read_folds(results, self.config.available_folds)
        self.plans = PlansManager(plans)
        self.configuration = self.plans.get_configuration(facts["configuration"])
        mirror_axes = facts["mirror_axes"] if self.config.inference_augmentation else None
        network = _build_network(self.plans, self.configuration, dataset)
        self.folds = folds
        with redirect_stdout(io.StringIO()):  # it tells every user without a GPU what was not asked
            self.predictor = _Predictor(
                tile_step_size=self.config.default_step_size,
                use_mirroring=mirror_axes is not None,
                perform_everything_on_device=self.device.type == "cuda",
                device=self.device,
                allow_tqdm=False,
            )
        self.predictor.manual_initialization(
            network, self.plans, self.configuration, None, dataset, "", mirror_axes
        )
        self.predictor.pool = sample_threads(self.threads)
        load_into(network, folds[0])
        network.to(self.device, memory_format=CHANNELS_LAST).eval()
        self.label_table = _label_table(self.config)

    def normalise(self, image: np.ndarray) -> tuple[torch.Tensor, tuple[slice, ...]]:
        """Return (normalised tensor, box): the non-zero part of `image` (P, I, R), as in training.

        The tensor has nnU-Net's axis order; the box is in the image's own.
        """
        order = [0, *(axis + 1 for axis in self.plans.transpose_forward)]
        # in one memory order, since that of a sum decides its last digit
        data = np.ascontiguousarray(image, np.float32)[None].transpose(order)
        data, mask, box = crop_to_nonzero(data)
        scheme = self._normalisation_scheme()
        data = np.ascontiguousarray(scheme.run(data[0], mask[0]))[None]
        own_order = self.plans.transpose_backward
        return torch.from_numpy(data), tuple(slice(*box[axis]) for axis in own_order)

    def segment(self, data: torch.Tensor, box: tuple, shape: tuple[int, ...]) -> np.ndarray:
        """Return the label map (uint8, our numbers, axes P, I, R) of what `normalise` gave."""
        classes = np.concatenate([part.numpy() for part in self._classes(data)], axis=_along(data))
        out = np.zeros(shape, np.uint8)
        out[box] = self.label_table[classes].transpose(self.plans.transpose_backward)
        return out

    def _classes(self, data: torch.Tensor) -> Iterable[torch.Tensor]:
        """Yield the class of every voxel in blocks along the longest axis."""
        axis = _along(data) + 1
        patch = self.configuration.patch_size[axis - 1]
        heads = self.predictor.label_manager.num_segmentation_heads
        length = data.shape[axis]
        bytes_per_layer = BYTES_PER_SCORE * heads * data[0].numel() / length
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
                load_into(self.predictor.network, weights)
            scores = self.predictor.predict_sliding_window_return_logits(data)
            total = scores if total is None else total.add_(scores)
        return total

    def _normalisation_scheme(self) -> Any:
        from nnunetv2.preprocessing.normalization import default_normalization_schemes as schemes

        name = self.configuration.normalization_schemes[0]
        return getattr(schemes, name)(
            use_mask_for_norm=self.configuration.use_mask_for_norm[0],
            intensityproperties=self.plans.foreground_intensity_properties_per_channel.get("0", {}),
        )


class _Predictor(nnUNetPredictor):
    """nnU-Net's sliding window; on a CPU the tiles are computed side by side, in mixed precision."""

    pool: Any

    @torch.inference_mode()
    def predict_sliding_window_return_logits(self, input_image: torch.Tensor) -> torch.Tensor:
        if self.device.type == "cuda":
            return super().predict_sliding_window_return_logits(input_image)
        patch = self.configuration_manager.patch_size
        data, back = pad_nd_image(input_image, patch, "constant", {"value": 0}, True, None)
        slicers = self._internal_get_sliding_window_slicers(data.shape[1:])
        # single precision: in half, the weights at a tile's edges round to nearly nothing
        weight = compute_gaussian(tuple(patch), dtype=torch.float32, device=self.device)
        heads = self.label_manager.num_segmentation_heads
        scores = torch.zeros((heads, *data.shape[1:]))
        weights = torch.zeros(data.shape[1:])
        # results arrive in order, whichever thread is first: sums do not depend on threads
        for slicer, tile in zip(
            slicers, self.pool.map(lambda s: self._tile(data, s), slicers), strict=True
        ):
            scores[slicer] += tile * weight
            weights[slicer[1:]] += weight
        scores /= weights
        return scores[(slice(None), *back[1:])]

    def _tile(self, data: torch.Tensor, slicer: tuple) -> torch.Tensor:
        with torch.inference_mode(), quick_arithmetic(self.device):
            tile = data[slicer][None].contiguous(memory_format=CHANNELS_LAST)
            return self._internal_maybe_mirror_and_predict(tile)[0].half()


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


def _build_network(plans: PlansManager, configuration: Any, dataset: dict) -> torch.nn.Module:
    return get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        determine_num_input_channels(plans, configuration, dataset),
        plans.get_label_manager(dataset).num_segmentation_heads,
        allow_init=True,
        deep_supervision=False,
    )


def _label_table(config: InferenceConfig) -> np.ndarray:
    """Return our label number of every class index (uint8); classes without an entry are dropped."""
    table = np.zeros(256, np.uint8)
    for index, label in config.labels.items():
        table[index] = label
    return table
