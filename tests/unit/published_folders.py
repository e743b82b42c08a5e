"""Model folders in the published formats, with untrained weights, written from the formats' description alone.

Nothing here uses the code under test: what is read back was laid out by hand.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

STAGES = 4
INSTANCE_CONFIG = {
    "log_name": "instance",
    "modality": ["SEG"],
    "acquisition": "sag",
    "modeltype": "unet",
    "model_expected_orientation": ["P", "I", "R"],
    "available_folds": 1,
    "inference_augmentation": False,
    "resolution_range": [3.0, 3.0, 6.0],
    "default_step_size": 0.5,
    "expected_inputs": ["seg"],
    "labels": {"1": 1, "2": 2, "3": 3},
    "cutout_size": [32, 32, 8],
}
VARIANTS = {
    "older": {"width": 16, "channels": 10, "hyper_parameters": {"opt": None, "do2D": False}},
    "newer": {
        "width": 8,
        "channels": 11,
        "hyper_parameters": {
            "opt": argparse.Namespace(n_epoch=100, lr=1e-4, channelwise=True, name="instance"),
            "do2D": False,
            "num_channels": 11,
            "dim": 8,
        },
    },
}
"""The two instance networks that have been published."""


def instance_tensors(width: int, channels: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return the tensors of the published 3D U-Net under their names, filled at random."""
    make = torch.Generator().manual_seed(seed)
    out: dict[str, torch.Tensor] = {}

    def convolution(name: str, *shape: int) -> None:
        out[f"{name}.weight"] = torch.randn(shape, generator=make) / shape[1] ** 0.5 / 3
        out[f"{name}.bias"] = torch.randn(shape[0], generator=make) / 10

    def residual(name: str, inputs: int, outputs: int) -> None:
        for block, start in (("block1", inputs), ("block2", outputs)):
            convolution(f"{name}.{block}.proj", outputs, start, 3, 3, 3)
            out[f"{name}.{block}.norm.weight"] = torch.ones(outputs)
            out[f"{name}.{block}.norm.bias"] = torch.zeros(outputs)
        if inputs != outputs:
            convolution(f"{name}.res_conv", outputs, inputs, 1, 1, 1)

    features = [width, width, 2 * width, 4 * width, 8 * width]
    convolution("network.init_conv", width, channels, 7, 7, 7)
    for stage in range(STAGES):
        above, below = features[stage], features[stage + 1]
        down, up = f"network.downs.{stage}", f"network.ups.{STAGES - 1 - stage}"
        residual(f"{down}.0", above, below)
        residual(f"{down}.1", below, below)
        residual(f"{up}.0", below, above)
        residual(f"{up}.1", above, above)
        if stage < STAGES - 1:
            convolution(f"{down}.2", below, below, 4, 4, 4)
        if stage > 0:
            convolution(f"{up}.2", above, above, 4, 4, 4)
    residual("network.mid_block1", features[-1], features[-1])
    residual("network.mid_block2", features[-1], features[-1])
    residual("network.final_res_block", 2 * width, width)
    convolution("network.final_conv", 4, width, 1, 1, 1)
    return out


def lightning_checkpoint(variant: str = "newer", **changes: Any) -> dict[str, Any]:
    """Return what Lightning stores beside and with the weights; `changes` replace entries."""
    known = VARIANTS[variant]
    return {
        "epoch": 99,
        "global_step": 1000,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": instance_tensors(known["width"], known["channels"]),
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {
            "ModelCheckpoint": {"best_model_path": "a/b.ckpt", "kth_value": torch.ones(())}
        },
        "optimizer_states": [],
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": known["hyper_parameters"],
        **changes,
    }


def write_instance(
    folder: Path, variant: str = "newer", config: dict | None = None, **changes: Any
) -> Path:
    """Write an instance folder: `inference_config.json` and one checkpoint in a sub-folder."""
    checkpoint = folder / "version_0" / "epoch=99_weights.ckpt"
    checkpoint.parent.mkdir(parents=True)
    torch.save(lightning_checkpoint(variant, **changes), checkpoint)
    (folder / "inference_config.json").write_text(json.dumps({**INSTANCE_CONFIG, **(config or {})}))
    return folder
