"""Check a translator's model folder: `weights.safetensors`, and the network's settings in `inference_config.json`."""

from __future__ import annotations

from pathlib import Path

from wirbel.core.inference_config import InferenceConfig
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.folders.instance import check_edges, check_stages, shrunk
from wirbel.models.folders.schema import refusal
from wirbel.models.folders.weights import own_weights, read_header


def check_translator(folder: Path, config: InferenceConfig) -> None:
    """Raise ModelError if a folder cannot be used; only the header of the weights is read."""
    source, network = str(folder / FILE_NAME), config.network
    if network is None or "patch_size" not in network:
        raise refusal(source, ["network"], "expected the settings of a translator, found none")
    check_stages(network, source)
    check_edges(network["patch_size"], shrunk(network), source, ["network", "patch_size"])
    read_header(own_weights(folder, "translator"))
