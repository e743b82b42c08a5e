"""A labelling model folder in the published format, ready to classify cut-outs.

`inference_config.json`, and somewhere below it one Lightning checkpoint called `*val_f1=*valf1-weights.ckpt` (the last
one by name, where there are several). Its hyper-parameters hold `group_2_n_channel` (classes by head) and `opt`, the
options of its training: `backbone`, `classification_linear`, `classification_conv`, `in_channel`, `final_size` (of a
cut-out, in voxels) and `ds_name` (its training set, which tells whether cut-outs are turned).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wirbel.core.level_cutouts import LevelInput
from wirbel.learning.checkpoints import Weights, load_into, read_pickled_checkpoint
from wirbel.learning.labelling_network import (
    BLOCKS,
    SMALLEST_EDGE,
    LabellingClassifier,
    LabellingNetwork,
)
from wirbel.learning.precision import choose_device
from wirbel.models.inference_config import read_inference_config

PATTERN = "*val_f1=*valf1-weights.ckpt"
USUAL_BACKBONE = "DENSENET169"
USUAL_SIZE = (152, 168, 32)
TURNED_TRAINING = "v4corpus"
"""Networks whose training set is called so have seen cut-outs with the spine upright."""
NOT_OURS = "net.class_layers."
BATCH = {"cpu": 1, "cuda": 8}


class TrainingOptions:
    """Stands in for the published tool's class of training options: attributes, no behaviour."""


STAND_INS = [(TrainingOptions, "spineps.architectures.pl_densenet.ARGS_MODEL")]
"""Types, beside those of every checkpoint, that these checkpoints may hold; the real ones are never imported."""


@dataclass(frozen=True)
class Labelling:
    """What a checkpoint says about its network and the network's input."""

    network: LabellingNetwork
    size: tuple[int, int, int]
    turned: bool


class LabellingModel:
    """A loaded network; `wanted` is the input that it wants."""

    def __init__(self, folder: Path, device: str = "auto") -> None:
        config = read_inference_config(folder)
        if len(config.expected_inputs) != 1:
            raise ValueError(
                f"{folder}: a labelling network has one input, found {config.expected_inputs}"
            )
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


def find_checkpoint(folder: Path) -> Path:
    """Return the checkpoint of a model folder; raises ValueError where there is none."""
    found = sorted(folder.rglob(PATTERN))
    if not found:
        raise ValueError(f"{folder} is no labelling model folder: there is no {PATTERN} in it")
    return found[-1]


def read_checkpoint(path: Path) -> tuple[Labelling, Weights]:
    """Return what a checkpoint says and its tensors (float32); raises ValueError naming what is wrong."""
    with torch.serialization.safe_globals(STAND_INS):
        content = read_pickled_checkpoint(path)
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise ValueError(f"{path} holds no state_dict, so it is no Lightning checkpoint")
    try:
        described = _described(content.get("hyper_parameters") or {})
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from None
    state = content["state_dict"].items()
    others = [name for name, value in state if not isinstance(value, torch.Tensor)]
    if others:
        raise ValueError(f"{path} is no Lightning checkpoint: {others[0]} is no tensor")
    return described, {
        name: value.float() for name, value in state if not name.startswith(NOT_OURS)
    }


def _described(settings: dict[str, Any]) -> Labelling:
    heads, options = settings.get("group_2_n_channel"), settings.get("opt")
    if not isinstance(heads, dict) or not heads or not hasattr(options, "__dict__"):
        raise ValueError(
            "its hyper-parameters lack group_2_n_channel or opt, so it is no labelling network"
        )
    chosen = vars(options)
    backbone = chosen.get("backbone", USUAL_BACKBONE)
    if backbone not in BLOCKS:
        raise ValueError(f"its backbone is {backbone!r}, known are {', '.join(BLOCKS)}")
    if chosen.get("classification_conv", False):
        raise ValueError("its heads begin with a convolution, which no published network has")
    size = tuple(int(n) for n in chosen.get("final_size", USUAL_SIZE))
    if len(size) != 3 or any(n < SMALLEST_EDGE or n % 2 for n in size):
        raise ValueError(
            f"its final_size is {size}, expected three even edges of {SMALLEST_EDGE} or more"
        )
    network = LabellingNetwork(
        backbone,
        {str(name): int(classes) for name, classes in heads.items()},
        bool(chosen.get("classification_linear", True)),
        int(chosen.get("in_channel", 1)),
    )
    return Labelling(network, size, TURNED_TRAINING in str(chosen.get("ds_name") or ""))
