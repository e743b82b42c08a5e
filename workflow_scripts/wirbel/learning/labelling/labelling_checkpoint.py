"""Read and check what the checkpoint of a published labelling network says about it.

Its hyper-parameters are `group_2_n_channel` (classes by head) and `opt`, the options of its
training: `backbone`, `classification_linear`, `classification_conv`, `in_channel`, `final_size` (of
a cut-out, in voxels) and `ds_name` (its training set, which says whether cut-outs are turned).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from wirbel.core.labelling.level_evidence import check_heads
from wirbel.learning.checkpoints import Weights, read_pickled_checkpoint, tensors
from wirbel.learning.labelling.labelling_network import BLOCKS, SMALLEST_EDGE, LabellingNetwork
from wirbel.models.errors import ModelError
from wirbel.models.folders.schema import MOST_VOXELS
from wirbel.models.folders.wording import short

SETTINGS = ("group_2_n_channel", "opt")
USUAL_BACKBONE = "DENSENET169"
USUAL_SIZE = (152, 168, 32)
TURNED_TRAINING = "v4corpus"
"""Networks with a training set of this name saw cut-outs with the spine upright."""
NOT_OURS = "net.class_layers."
MOST_HEADS, MOST_CLASSES, LONGEST_NAME = 32, 256, 64
AGAIN = "give the folder of a labelling model, or copy or fetch it again"


class TrainingOptions:
    """Stands in for SPINEPS' class of training options: attributes, no behaviour."""


STAND_INS: list[Any] = [(TrainingOptions, "spineps.architectures.pl_densenet.ARGS_MODEL")]
"""Further types that these checkpoints may contain; the real classes are never imported."""


@dataclass(frozen=True)
class Labelling:
    """What a checkpoint says about its network and the network's input."""

    network: LabellingNetwork
    size: tuple[int, int, int]
    turned: bool


def read_checkpoint(path: Path) -> tuple[Labelling, Weights]:
    """Return what a checkpoint says, and its tensors.

    Raises
    ------
    ModelError
        Names what is wrong.
    """
    with torch.serialization.safe_globals(STAND_INS):
        content = read_pickled_checkpoint(path)
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise ModelError(f"{path} has no state_dict, so it is not a Lightning checkpoint; {AGAIN}")
    try:
        described = _described(content.get("hyper_parameters"))
    except ValueError as error:
        raise ModelError(f"{path}: {error}; {AGAIN}") from None
    weights = tensors(content["state_dict"], path, "")
    return described, {
        name: value for name, value in weights.items() if not name.startswith(NOT_OURS)
    }


def _described(settings: Any) -> Labelling:
    options = _options(settings)
    backbone = options.get("backbone", USUAL_BACKBONE)
    if not isinstance(backbone, str) or backbone not in BLOCKS:
        raise ValueError(f"its backbone is {short(backbone)}; known are {', '.join(BLOCKS)}")
    if _truth(options, "classification_conv", False):
        raise ValueError(
            "its heads begin with a convolution (classification_conv), which no published network has"
        )
    channels = options.get("in_channel", 1)
    if type(channels) is not int or channels != 1:
        raise ValueError(
            f"its in_channel is {short(channels)}, expected 1: its only input is the scan"
        )
    network = LabellingNetwork(
        backbone,
        _heads(settings["group_2_n_channel"]),
        _truth(options, "classification_linear", True),
    )
    size = _size(options.get("final_size", USUAL_SIZE))
    return Labelling(network, size, _was_turned(options.get("ds_name")))


def _was_turned(training_set: Any) -> bool:
    """Return True if the training set, one name or several, had turned cut-outs."""
    names = training_set if isinstance(training_set, list | tuple) else [training_set]
    return any(TURNED_TRAINING in name for name in names if isinstance(name, str))


def _options(settings: Any) -> dict[str, Any]:
    """Return the options of the training; raise ValueError unless the hyper-parameters are those of
    such a network.
    """
    if not isinstance(settings, dict) or any(name not in settings for name in SETTINGS):
        raise ValueError(
            "its hyper-parameters lack group_2_n_channel or opt, so it is not a labelling network"
        )
    unknown = [name for name in settings if name not in SETTINGS]
    if unknown:
        raise ValueError(
            f"unknown hyper-parameter {short(unknown[0])}; known are {', '.join(SETTINGS)}"
        )
    if not hasattr(settings["opt"], "__dict__"):
        raise ValueError(
            f"its opt is {short(settings['opt'])}, expected the options of its training"
        )
    return dict(vars(settings["opt"]))


def _heads(heads: Any) -> dict[str, int]:
    whole = isinstance(heads, dict) and len(heads) <= MOST_HEADS
    if not whole or not all(_is_head(name, classes) for name, classes in heads.items()):
        raise ValueError(f"its group_2_n_channel is {short(heads)}, expected classes by head")
    check_heads(heads)
    return dict(heads)


def _is_head(name: Any, classes: Any) -> bool:
    plain = isinstance(name, str) and name.isidentifier() and len(name) <= LONGEST_NAME
    return plain and type(classes) is int and 0 < classes <= MOST_CLASSES


def _truth(options: dict[str, Any], name: str, usual: bool) -> bool:
    value = options.get(name, usual)
    if not isinstance(value, bool):
        raise ValueError(f"its {name} is {short(value)}, expected true or false")
    return value


def _size(edges: Any) -> tuple[int, int, int]:
    whole = isinstance(edges, list | tuple) and len(edges) == 3
    whole = whole and all(type(n) is int and n >= SMALLEST_EDGE and n % 2 == 0 for n in edges)
    if not whole or math.prod(edges) > MOST_VOXELS:
        raise ValueError(
            f"its final_size is {short(edges)}, expected three even edges of {SMALLEST_EDGE} or more, "
            f"and at most {MOST_VOXELS} voxels"
        )
    return tuple(edges)
