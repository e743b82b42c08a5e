"""Load the network of an instance model folder, in Wirbel's format or in the published one.

`models.folders.instance` describes both. The published network has two variants.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from wirbel.core.inference_config import InferenceConfig
from wirbel.learning.checkpoints import Weights, read_pickled_checkpoint, read_weights, tensors
from wirbel.learning.filling import check_fit, filled, shapes_of, skeleton
from wirbel.learning.instance.instance_network import InstanceNetwork, UNet
from wirbel.learning.instance.published_network import PublishedUNet
from wirbel.models.errors import ModelError
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.folders.instance import (
    check_channels,
    find_published,
)
from wirbel.models.folders.weights import WEIGHTS_NAME, own_weights, read_header

__all__ = ["WEIGHTS_NAME", "load_network", "read_model_weights", "read_published"]
PREFIX = "network."
"""Prefix of the network's tensors in a Lightning checkpoint."""
FIRST_LAYER = "init_conv.weight"
OLDER_VARIANT = (16, 10)
"""Width and input channels of the older published network, fixed in its code."""
NEWER_VARIANT = (8, 11)
"""The same of the newer one, unless its hyper-parameters `dim` and `num_channels` differ."""
NO_VARIANT = (0, 0)
WIDEST = (64, 256)
"""Largest width and number of input channels of a variant."""
AGAIN = "give the folder of an instance model, or copy or fetch it again"
GROUPS = 8
"""Of the group normalisation; a width is a multiple of it."""


def read_model_weights(folder: Path) -> Weights:
    """Return the weights of a folder in Wirbel's format; raise ModelError if there are none."""
    return read_weights(own_weights(folder, "instance"))[0]


def load_network(folder: Path, config: InferenceConfig) -> tuple[torch.nn.Module, int]:
    """Return the network with its weights, and its number of input channels.

    Parameters
    ----------
    folder : Path
        The model folder.
    config : InferenceConfig
        Its settings, checked by `models.folders.instance`.

    Raises
    ------
    ModelError
        If weights are missing or do not fit.
    """
    if config.network is not None:
        return _own_network(folder, InstanceNetwork.from_dict(config.network))
    path = find_published(folder)
    weights, (width, channels) = read_published(path)
    check_channels(config, channels, str(folder / FILE_NAME))

    def build() -> torch.nn.Module:
        return PublishedUNet(width, channels)

    check_fit(skeleton(build, path), shapes_of(weights), path)
    return filled(build, {name: value.float() for name, value in weights.items()}, path), channels


def _own_network(folder: Path, settings: InstanceNetwork) -> tuple[torch.nn.Module, int]:
    path = own_weights(folder, "instance")

    def build() -> torch.nn.Module:
        return UNet(settings)

    check_fit(skeleton(build, folder / FILE_NAME), read_header(path).shapes, path)
    return filled(build, read_model_weights(folder), path), settings.channels


def read_published(path: Path) -> tuple[Weights, tuple[int, int]]:
    """Return the network's tensors of a Lightning checkpoint, and its width and channels."""
    content = read_pickled_checkpoint(path)
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise ModelError(f"{path} has no state_dict, so it is not a Lightning checkpoint; {AGAIN}")
    settings = content.get("hyper_parameters") or {}
    if not isinstance(settings, dict):
        raise ModelError(
            f"{path} is not a Lightning checkpoint: hyper_parameters is not a dictionary; {AGAIN}"
        )
    if settings.get("do2D") is not None and settings["do2D"] is not False:
        raise ModelError(
            f"{path} contains a network for slices (do2D); expected one for volumes; {AGAIN}"
        )
    weights = tensors(state, path, PREFIX)
    return weights, _variant(weights, settings, path)


def _variant(weights: Weights, settings: dict[str, Any], path: Path) -> tuple[int, int]:
    """Return width and channels, read from the first layer."""
    if FIRST_LAYER not in weights:
        raise ModelError(
            f"{path} contains another network: there is no {PREFIX}{FIRST_LAYER} in it; {AGAIN}"
        )
    found = tuple(weights[FIRST_LAYER].shape[:2])
    allowed = [known for known in (OLDER_VARIANT, _newer_variant(settings)) if _is_possible(known)]
    if found not in allowed:
        known = " or ".join(f"width {w} with {c} input channels" for w, c in allowed)
        there = " with ".join(str(size) for size in found)
        raise ModelError(f"{path}: expected {known}, found {there or 'nothing'}; {AGAIN}")
    return found


def _is_possible(variant: tuple[int, int]) -> bool:
    width, channels = variant
    return 0 < width <= WIDEST[0] and width % GROUPS == 0 and 0 < channels <= WIDEST[1]


def _newer_variant(settings: dict[str, Any]) -> tuple[int, int]:
    told = zip(("dim", "num_channels"), NEWER_VARIANT, strict=True)
    width, channels = (settings.get(name, usual) for name, usual in told)
    return (width, channels) if type(width) is type(channels) is int else NO_VARIANT
