"""Where an instance model folder keeps its network: our own format, or the published one.

Ours: `weights.safetensors`, and the network's settings under `network` in `inference_config.json`. Published: one
Lightning checkpoint called `*weights*.ckpt`, somewhere in the folder, in one of two variants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from wirbel.learning.checkpoints import (
    Weights,
    load_into,
    read_pickled_checkpoint,
    read_weights,
)
from wirbel.learning.instance_network import InstanceNetwork, UNet
from wirbel.learning.published_network import FACTOR, PublishedUNet
from wirbel.models.inference_config import InferenceConfig

WEIGHTS_NAME = "weights.safetensors"
PUBLISHED_PATTERN = "*weights*.ckpt"
PREFIX = "network."
"""Names of the network's tensors in a Lightning checkpoint begin so."""
FIRST_LAYER = "init_conv.weight"
OLDER_VARIANT = (16, 10)
"""Width and input channels of the older published network, which its code fixes."""
NEWER_VARIANT = (8, 11)
"""The same of the newer one, unless its hyper-parameters `dim` and `num_channels` say otherwise."""


def read_model_weights(folder: Path) -> Weights:
    """Return the weights of a folder in our own format; raises ValueError where there are none."""
    if not (folder / WEIGHTS_NAME).is_file():
        raise ValueError(f"{folder} is no instance model folder: there is no {WEIGHTS_NAME} in it")
    return read_weights(folder / WEIGHTS_NAME)[0]


def load_network(folder: Path, config: InferenceConfig) -> tuple[torch.nn.Module, int]:
    """Return the network with its weights and its number of input channels.

    Raises ValueError with a sentence on what is missing or does not fit.
    """
    if config.network is not None:
        settings = InstanceNetwork.from_dict(config.network)
        return _filled(UNet(settings), read_model_weights(folder), folder / WEIGHTS_NAME), (
            settings.channels
        )
    path = find_published(folder)
    weights, (width, channels) = read_published(path)
    if any(edge % FACTOR for edge in config.cutout_size):
        raise ValueError(
            f"{folder}: cutout_size is {list(config.cutout_size)}, the published network needs "
            f"multiples of {FACTOR}"
        )
    if max(config.mapping.values(), default=0) >= channels:
        raise ValueError(
            f"{folder}: mapping names channel {max(config.mapping.values())}, the network has "
            f"{channels}, numbered from 0"
        )
    return _filled(PublishedUNet(width, channels), weights, path), channels


def find_published(folder: Path) -> Path:
    """Return the one checkpoint of a published folder."""
    found = sorted(folder.rglob(PUBLISHED_PATTERN))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ValueError(
            f"{folder} is no instance model folder: expected {WEIGHTS_NAME}, or exactly one "
            f"{PUBLISHED_PATTERN}, found {names}"
        )
    return found[0]


def read_published(path: Path) -> tuple[Weights, tuple[int, int]]:
    """Return the network's tensors (float32) of a Lightning checkpoint, and its width and channels."""
    content = read_pickled_checkpoint(path)
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds no state_dict, so it is no Lightning checkpoint")
    settings = content.get("hyper_parameters") or {}
    others = [name for name, value in state.items() if not isinstance(value, torch.Tensor)]
    if not isinstance(settings, dict) or others:
        what = f"{others[0]} is no tensor" if others else "hyper_parameters is no dictionary"
        raise ValueError(f"{path} is no Lightning checkpoint: {what}")
    if settings.get("do2D"):
        raise ValueError(f"{path} holds a network for slices (do2D), expected one for volumes")
    weights = {name.removeprefix(PREFIX): value.float() for name, value in state.items()}
    if FIRST_LAYER not in weights:
        raise ValueError(f"{path} holds another network: there is no {PREFIX}{FIRST_LAYER} in it")
    found = tuple(weights[FIRST_LAYER].shape[:2])
    allowed = (OLDER_VARIANT, _newer_variant(settings))
    if found not in allowed:
        known = " or ".join(f"width {w} with {c} input channels" for w, c in allowed)
        raise ValueError(f"{path}: expected {known}, found {found[0]} with {found[1]}")
    return weights, found


def _newer_variant(settings: dict[str, Any]) -> tuple[int, int]:
    return (
        settings.get("dim", NEWER_VARIANT[0]),
        settings.get("num_channels", NEWER_VARIANT[1]),
    )


def _filled(network: torch.nn.Module, weights: Weights, source: Path) -> torch.nn.Module:
    try:
        load_into(network, weights)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    return network
