"""Labelling model folders in the published format, with untrained weights."""

from __future__ import annotations

import argparse
import json
import sys
import types
from pathlib import Path

import torch

from support.models.inference_settings import SETTINGS
from wirbel.learning.labelling.labelling_network import LabellingClassifier, LabellingNetwork

HEADS = {"REGION": 3, "VERT": 24, "VERTREL": 6, "FULLYVISIBLE": 2}
SIZE = (32, 32, 32)
BACKBONE = "DENSENET121"
CONFIG = {
    **SETTINGS,
    "modeltype": "classifier",
    "resolution_range": [3.0, 3.0, 6.0],
    "labels": {"1": 1},
}
CHECKPOINT = "epoch=3-step=100-val_f1=0.98_valf1-weights.ckpt"


def write_labelling(folder: Path, heads: dict = HEADS, seed: int = 0, **options) -> Path:
    """Write a folder; `options` are added to those of the network's training."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (folder / "inference_config.json").write_text(json.dumps(CONFIG))
    torch.save(checkpoint(heads, seed, **options), folder / "checkpoints" / CHECKPOINT)
    return folder


def checkpoint(heads: dict = HEADS, seed: int = 0, **options) -> dict:
    """Return the content of a Lightning checkpoint."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = LabellingClassifier(LabellingNetwork(BACKBONE, heads))
        for head in network.classification_heads.values():
            head[-1].weight.data *= 40  # answers that differ
    chosen = {"backbone": BACKBONE, "final_size": SIZE, "classification_linear": True} | options
    return {
        "epoch": 3,
        "global_step": 100,
        "pytorch-lightning_version": "2.6.6",
        "state_dict": network.state_dict(),
        "hyper_parameters": {"opt": argparse.Namespace(**chosen), "group_2_n_channel": dict(heads)},
    }


def as_published_class(options: argparse.Namespace) -> object:
    """Return the options as an object of SPINEPS' class, which is not installed here."""
    module = types.ModuleType("spineps.architectures.pl_densenet")
    kind = type("ARGS_MODEL", (), {"__module__": module.__name__})
    module.ARGS_MODEL = kind
    for name in ("spineps", "spineps.architectures"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules[module.__name__] = module
    made = kind()
    made.__dict__.update(vars(options))
    return made


def forget_published_class() -> None:
    """Undo the pretence: whoever reads must do without."""
    for name in [name for name in sys.modules if name.split(".")[0] == "spineps"]:
        del sys.modules[name]
