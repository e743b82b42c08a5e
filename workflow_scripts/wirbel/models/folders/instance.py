"""An instance model folder: our own format, or the published one.

Ours: `weights.safetensors`, and the network's settings under `network` in `inference_config.json`. Published: one
Lightning checkpoint called `*weights*.ckpt`, somewhere in the folder.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from wirbel.models.errors import ModelError
from wirbel.models.folders.schema import MOST_VALUES, refusal
from wirbel.models.folders.weights import check_archive, read_header
from wirbel.models.inference_config import FILE_NAME, InferenceConfig

WEIGHTS_NAME = "weights.safetensors"
PUBLISHED_PATTERN = "*weights*.ckpt"
PUBLISHED_FACTOR = 8
"""Of which a cut-out's edges are multiples: the published network halves them three times."""


def check_instance(folder: Path, config: InferenceConfig) -> None:
    """Raise ModelError where a folder cannot be used; of the weights only the header is read."""
    check_settings(config, folder)
    if config.network is not None:
        read_header(own_weights(folder))
    else:
        check_archive(find_published(folder))


def own_weights(folder: Path) -> Path:
    """Return the weights of a folder in our own format."""
    if not (folder / WEIGHTS_NAME).is_file():
        raise ModelError(
            f"{folder} is no instance model folder: there is no {WEIGHTS_NAME} in it; "
            "give the folder of an instance model, or copy or fetch it again"
        )
    return folder / WEIGHTS_NAME


def find_published(folder: Path) -> Path:
    """Return the one checkpoint of a published folder."""
    found = sorted(folder.rglob(PUBLISHED_PATTERN))
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:8]) or "none"
        raise ModelError(
            f"{folder} is no instance model folder: expected {WEIGHTS_NAME}, or exactly one "
            f"{PUBLISHED_PATTERN}, found {names}; give the folder of an instance model"
        )
    return found[0]


def check_settings(config: InferenceConfig, folder: Path) -> None:
    """Raise ModelError where fields of `inference_config.json` contradict each other."""
    source = str(folder / FILE_NAME)
    if config.network is None:
        _check_edges(list(config.cutout_size), [PUBLISHED_FACTOR] * 3, source, ["cutout_size"])
        return
    network = config.network
    _check_agreement(config, network, source)
    _check_edges(list(config.cutout_size), _shrunk(network), source, ["cutout_size"])
    stages = len(network["features"])
    if max(network["thick_pooling_stages"], default=0) >= stages:
        sentence = f"expected stages below {stages}, found {network['thick_pooling_stages']}"
        raise refusal(source, ["network", "thick_pooling_stages"], sentence)


def check_channels(config: InferenceConfig, channels: int, source: str) -> None:
    """Raise ModelError when `mapping` names a channel that the network does not have."""
    most = max(config.mapping.values(), default=0)
    if most >= channels:
        sentence = f"mapping names channel {most}, the network has {channels}, numbered from 0"
        raise refusal(source, ["mapping"], sentence)
    if channels * math.prod(config.cutout_size) > MOST_VALUES:
        edges = list(config.cutout_size)
        sentence = f"expected at most {MOST_VALUES} numbers with {channels} channels, found {edges}"
        raise refusal(source, ["cutout_size"], sentence)


def _check_agreement(config: InferenceConfig, network: dict[str, Any], source: str) -> None:
    """Raise ModelError where what the network says differs from what is done with it."""
    check_channels(config, network["channels"], source)
    edges = network["cutout_size"]
    if tuple(edges) != tuple(config.cutout_size):
        sentence = f"expected cutout_size, {list(config.cutout_size)}, found {edges}"
        raise refusal(source, ["network", "cutout_size"], sentence)


def _shrunk(network: dict[str, Any]) -> list[int]:
    """Return by how much the network reduces each axis."""
    stages = range(1, len(network["features"]))
    thick = sum(stage in network["thick_pooling_stages"] for stage in stages)
    halvings = (len(stages), len(stages), thick)
    return [factor * 2**times for factor, times in zip(network["reduction"], halvings, strict=True)]


def _check_edges(edges: list[int], factors: list[int], source: str, place: list[str]) -> None:
    if any(edge % factor for edge, factor in zip(edges, factors, strict=True)):
        sentence = f"expected multiples of {factors}, by which the network shrinks, found {edges}"
        raise refusal(source, place, sentence)
    if math.prod(edges) == math.prod(factors):
        raise refusal(source, place, f"expected more than {factors}, of which one voxel is left")
