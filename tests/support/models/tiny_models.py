"""Untrained networks with a few thousand weights, written as model folders by the real export.

Their answers are noise, but noise that is the same every time: enough to follow an array through.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from wirbel.learning.exported.export import INSTANCE_CHANNELS, export_instance, export_semantic
from wirbel.learning.instance.instance_network import InstanceNetwork, UNet
from wirbel.learning.semantic.nnunet_plans import build_network, read_plans
from wirbel.learning.semantic.semantic_plans import (
    CONFIGURATION,
    PLANS_NAME,
    SemanticNetwork,
    dataset_json,
    plans_json,
)
from wirbel.learning.training.training_cases import TrainingFolder

SPACING_MM = (3.0, 3.0, 6.0)
SMALL = {"features": (4, 6, 8), "in_plane_stages": 1, "thick_pooling_stages": (2,)}
SEMANTIC = SemanticNetwork(SPACING_MM, (32, 32, 4), **SMALL)
INSTANCE = InstanceNetwork(cutout_size=(32, 32, 8), spacing_mm=SPACING_MM, **SMALL)


def semantic_network(network: SemanticNetwork = SEMANTIC, seed: int = 0) -> torch.nn.Module:
    """Return the untrained network itself."""
    written = plans_json(network, list(network.patch_size))
    plans = read_plans(written, dataset_json(1), CONFIGURATION)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_network(plans)


def instance_network(network: InstanceNetwork = INSTANCE, seed: int = 0) -> UNet:
    """Return the untrained network itself."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return UNet(network)


def write_semantic(target: Path, network: SemanticNetwork = SEMANTIC, seed: int = 0) -> Path:
    """Write a semantic model folder, and beside it what its training would have left."""
    folder = TrainingFolder(target.with_name("training"))
    folder.dataset.mkdir(parents=True, exist_ok=True)
    plans = plans_json(network, list(network.patch_size))
    (folder.dataset / f"{PLANS_NAME}.json").write_text(json.dumps(plans))
    (folder.dataset / "dataset.json").write_text(json.dumps(dataset_json(1)))
    checkpoint = folder.root / "semantic.pth"
    content = {
        "network_weights": semantic_network(network, seed).state_dict(),
        "init_args": {"configuration": CONFIGURATION},
        "inference_allowed_mirroring_axes": None,
        "current_epoch": 0,
        "minutes": 0.0,
    }
    torch.save(content, checkpoint)
    export_semantic(checkpoint, folder, network, target)
    return target


def write_instance(target: Path, network: InstanceNetwork = INSTANCE, seed: int = 0) -> Path:
    """Write an instance model folder, and beside it what its training would have left."""
    folder = TrainingFolder(target.with_name("training"))
    folder.root.mkdir(parents=True, exist_ok=True)
    checkpoint = folder.root / "instance.pth"
    content = {
        "network": instance_network(network, seed).state_dict(),
        "settings": network.as_dict(),
        "mapping": INSTANCE_CHANNELS,
        "step": 0,
        "minutes": 0.0,
    }
    torch.save(content, checkpoint)
    export_instance(checkpoint, folder, target)
    return target
