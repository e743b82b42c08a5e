"""Check an instance model folder, in Wirbel's format or in the published one.

Wirbel's format: `weights.safetensors`, and the network's settings under `network` in
`inference_config.json`. Published: one Lightning checkpoint `*weights*.ckpt`, anywhere in the
folder.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from wirbel.core.inference_config import InferenceConfig
from wirbel.models.errors import ModelError
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.folders.schema import MOST_VALUES, refusal
from wirbel.models.folders.weights import (
    WEIGHTS_NAME,
    check_archive,
    own_weights,
    read_header,
)

PUBLISHED_PATTERN = "*weights*.ckpt"
PUBLISHED_FACTOR = 8
"""The edges of a cut-out must be multiples of this: the published network halves them three times."""


def check_instance(folder: Path, config: InferenceConfig) -> None:
    """Raise ModelError if a folder cannot be used; only the header of the weights is read."""
    check_settings(config, folder)
    if config.network is not None:
        read_header(own_weights(folder, "instance"))
    else:
        check_archive(find_published(folder))


def find_published(folder: Path) -> Path:
    """Return the only checkpoint of a published folder."""
    found = sorted(folder.rglob(PUBLISHED_PATTERN))
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:8]) or "none"
        raise ModelError(
            f"{folder} is not an instance model folder: expected {WEIGHTS_NAME}, or exactly one "
            f"{PUBLISHED_PATTERN}, found {names}; give the folder of an instance model"
        )
    return found[0]


def check_settings(config: InferenceConfig, folder: Path) -> None:
    """Raise ModelError if fields of `inference_config.json` contradict each other."""
    source = str(folder / FILE_NAME)
    if config.network is None:
        check_edges(list(config.cutout_size), [PUBLISHED_FACTOR] * 3, source, ["cutout_size"])
        return
    network = config.network
    _check_agreement(config, network, source)
    check_edges(list(config.cutout_size), shrunk(network), source, ["cutout_size"])
    check_stages(network, source)


def check_stages(network: dict[str, Any], source: str) -> None:
    """Raise ModelError if a network names stages that it does not have."""
    stages = len(network["features"])
    if max(network["thick_pooling_stages"], default=0) >= stages:
        sentence = f"expected stages below {stages}, found {network['thick_pooling_stages']}"
        raise refusal(source, ["network", "thick_pooling_stages"], sentence)


def check_channels(config: InferenceConfig, channels: int, source: str) -> None:
    """Raise ModelError if `mapping` names a channel that the network does not have."""
    most = max(config.mapping.values(), default=0)
    if most >= channels:
        sentence = f"mapping names channel {most}, but the network has {channels}, counted from 0"
        raise refusal(source, ["mapping"], sentence)
    if channels * math.prod(config.cutout_size) > MOST_VALUES:
        edges = list(config.cutout_size)
        sentence = f"expected at most {MOST_VALUES} numbers with {channels} channels, found {edges}"
        raise refusal(source, ["cutout_size"], sentence)


def _check_agreement(config: InferenceConfig, network: dict[str, Any], source: str) -> None:
    """Raise ModelError if the network's own settings contradict the folder's."""
    check_channels(config, network["channels"], source)
    edges = network["cutout_size"]
    if tuple(edges) != tuple(config.cutout_size):
        sentence = f"expected cutout_size, {list(config.cutout_size)}, found {edges}"
        raise refusal(source, ["network", "cutout_size"], sentence)


def shrunk(network: dict[str, Any]) -> list[int]:
    """Return the factor by which a network of stages reduces each axis."""
    stages = range(1, len(network["features"]))
    thick = sum(stage in network["thick_pooling_stages"] for stage in stages)
    halvings = (len(stages), len(stages), thick)
    first = network.get("reduction", (1, 1, 1))
    return [factor * 2**times for factor, times in zip(first, halvings, strict=True)]


def check_edges(edges: list[int], factors: list[int], source: str, place: list[str]) -> None:
    """Raise ModelError unless a patch can be reduced by these factors and is larger than they are.

    Parameters
    ----------
    edges, factors : list of int
        Voxels of the patch, and what the network divides them by, along each axis.
    source : str
        The file, for messages.
    place : list of str
        Where in it the edges stand.
    """
    if any(edge % factor for edge, factor in zip(edges, factors, strict=True)):
        sentence = f"expected multiples of the network's reduction {factors}, found {edges}"
        raise refusal(source, place, sentence)
    if math.prod(edges) == math.prod(factors):
        raise refusal(source, place, f"expected more than {factors}, which leaves only one voxel")
