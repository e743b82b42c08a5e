"""What a published labelling network's checkpoint says about it, and whether that can be right.

One Lightning checkpoint called `*val_f1=*valf1-weights.ckpt` (the last one by path, where there are several: so the
published tool chooses). Its hyper-parameters hold `group_2_n_channel` (classes by head) and `opt`, the options of its
training: `backbone`, `classification_linear`, `classification_conv`, `in_channel`, `final_size` (of a cut-out, in
voxels) and `ds_name` (its training set, which tells whether cut-outs are turned).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from wirbel.core.level_evidence import check_heads
from wirbel.learning.checkpoints import Weights, read_pickled_checkpoint
from wirbel.learning.labelling_network import BLOCKS, SMALLEST_EDGE, LabellingNetwork

PATTERN = "*val_f1=*valf1-weights.ckpt"
SETTINGS = ("group_2_n_channel", "opt")
USUAL_BACKBONE = "DENSENET169"
USUAL_SIZE = (152, 168, 32)
TURNED_TRAINING = "v4corpus"
"""Networks whose training set is called so have seen cut-outs with the spine upright."""
NOT_OURS = "net.class_layers."


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
        described = _described(content.get("hyper_parameters"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    state = content["state_dict"].items()
    others = [name for name, value in state if not isinstance(value, torch.Tensor)]
    if others:
        raise ValueError(f"{path} is no Lightning checkpoint: {others[0]} is no tensor")
    return described, {
        name: value.float() for name, value in state if not name.startswith(NOT_OURS)
    }


def _described(settings: Any) -> Labelling:
    options = _options(settings)
    backbone = options.get("backbone", USUAL_BACKBONE)
    if backbone not in tuple(BLOCKS):
        raise ValueError(f"its backbone is {backbone!r}, known are {', '.join(BLOCKS)}")
    if _truth(options, "classification_conv", False):
        raise ValueError(
            "its heads begin with a convolution (classification_conv), which no published network has"
        )
    channels = options.get("in_channel", 1)
    if channels != 1:
        raise ValueError(f"its in_channel is {channels!r}, expected 1: it is shown the scan alone")
    network = LabellingNetwork(
        backbone,
        _heads(settings["group_2_n_channel"]),
        _truth(options, "classification_linear", True),
    )
    turned = TURNED_TRAINING in str(options.get("ds_name") or "")
    return Labelling(network, _size(options.get("final_size", USUAL_SIZE)), turned)


def _options(settings: Any) -> dict[str, Any]:
    """Return the training's options; raises ValueError unless the hyper-parameters are those of such a network."""
    if not isinstance(settings, dict) or any(name not in settings for name in SETTINGS):
        raise ValueError(
            "its hyper-parameters lack group_2_n_channel or opt, so it is no labelling network"
        )
    unknown = [name for name in settings if name not in SETTINGS]
    if unknown:
        raise ValueError(f"unknown hyper-parameter {unknown[0]!r}; known are {', '.join(SETTINGS)}")
    if not hasattr(settings["opt"], "__dict__"):
        raise ValueError(f"its opt holds {settings['opt']!r}, expected the options of its training")
    return vars(settings["opt"])


def _heads(heads: Any) -> dict[str, int]:
    whole = isinstance(heads, dict) and all(
        isinstance(name, str) and isinstance(n, int) and not isinstance(n, bool) and n > 0
        for name, n in heads.items()
    )
    if not whole:
        raise ValueError(f"its group_2_n_channel is {heads!r}, expected classes by head")
    check_heads(heads)
    return dict(heads)


def _truth(options: dict[str, Any], name: str, usual: bool) -> bool:
    value = options.get(name, usual)
    if not isinstance(value, bool):
        raise ValueError(f"its {name} is {value!r}, expected true or false")
    return value


def _size(edges: Any) -> tuple[int, int, int]:
    whole = isinstance(edges, list | tuple) and all(isinstance(edge, int) for edge in edges)
    if not whole or len(edges) != 3 or any(n < SMALLEST_EDGE or n % 2 for n in edges):
        raise ValueError(
            f"its final_size is {edges!r}, expected three even edges of {SMALLEST_EDGE} or more"
        )
    return tuple(edges)
