"""Model folders in the published formats, with untrained weights, written from the formats' description alone.

Nothing here uses the code under test: what is read back was laid out by hand.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from support.models.inference_settings import SETTINGS

STAGES = 4
COARSE = {**SETTINGS, "resolution_range": [3.0, 3.0, 6.0]}
INSTANCE_CONFIG = {
    **COARSE,
    "modality": ["SEG"],
    "modeltype": "unet",
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


SEMANTIC_CONFIG = {
    **COARSE,
    "labels": {"1": "Vertebra_Corpus_border", "2": "Spinal_Canal", "3": 100},
}
PATCH, KERNELS, STRIDES = [4, 32, 48], [[1, 3, 3], [3, 3, 3]], [[1, 1, 1], [2, 2, 2]]
"""In nnU-Net's order, which is that of SimpleITK: for the model's axes P, I, R it is R, I, P."""
SPELLINGS = {
    "2.0": {
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": 4,
        "unet_max_num_features": 6,
        "n_conv_per_stage_encoder": [1, 1],
        "n_conv_per_stage_decoder": [1],
        "num_pool_per_axis": [1, 1, 1],
        "pool_op_kernel_sizes": STRIDES,
        "conv_kernel_sizes": KERNELS,
    },
    "2.8": {
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "arch_kwargs": {
                "n_stages": 2,
                "features_per_stage": [4, 6],
                "conv_op": "torch.nn.modules.conv.Conv3d",
                "kernel_sizes": KERNELS,
                "strides": STRIDES,
                "n_conv_per_stage": [1, 1],
                "n_conv_per_stage_decoder": [1],
                "conv_bias": True,
                "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
                "norm_op_kwargs": {"eps": 1e-05, "affine": True},
                "dropout_op": None,
                "dropout_op_kwargs": None,
                "nonlin": "torch.nn.LeakyReLU",
                "nonlin_kwargs": {"inplace": True},
            },
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        }
    },
}
"""How plans.json describes one and the same network, from nnU-Net 2.0 and from 2.8."""


def semantic_network(seed: int) -> torch.nn.Module:
    """Return that network, built by hand, with random weights that give every class its share."""
    from dynamic_network_architectures.architectures.unet import PlainConvUNet

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = PlainConvUNet(
            1, 2, (4, 6), torch.nn.Conv3d, KERNELS, STRIDES, 1, 4, 1, True,
            torch.nn.InstanceNorm3d, {"eps": 1e-5, "affine": True},
            None, None, torch.nn.LeakyReLU, {"inplace": True},
        )  # fmt: skip
    return network.eval()


def nnunet_plans(spelling: str = "2.8", spacing_mm: tuple = (6.0, 3.0, 3.0)) -> dict[str, Any]:
    """Return the decoded plans.json."""
    resampling = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
    configuration = {
        "patch_size": PATCH,
        "spacing": list(spacing_mm),
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": resampling,
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": {**resampling, "order": 1},
        **SPELLINGS[spelling],
    }
    return {
        "plans_name": "nnUNetPlans",
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
        "foreground_intensity_properties_per_channel": {"0": {}},
    }


def nnunet_checkpoint(seed: int = 0, **changes: Any) -> dict[str, Any]:
    """Return what nnU-Net stores; `changes` replace entries."""
    return {
        "network_weights": semantic_network(seed).state_dict(),
        "optimizer_state": {},
        "grad_scaler_state": None,
        "logging": {"mean_fg_dice": [0.9]},
        "_best_ema": 0.9,
        "current_epoch": 1000,
        "init_args": {"configuration": "3d_fullres", "fold": 0},
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
        **changes,
    }


def write_semantic(
    folder: Path,
    folds: dict[str, int] | None = None,
    plans: dict | None = None,
    config: dict | None = None,
    name: str = "checkpoint_final.pth",
    **changes: Any,
) -> Path:
    """Write a semantic folder; `folds` gives the name and the seed of each fold."""
    for fold, seed in (folds or {"0": 0}).items():
        (folder / f"fold_{fold}").mkdir(parents=True)
        torch.save(nnunet_checkpoint(seed, **changes), folder / f"fold_{fold}" / name)
    labels = {"background": 0, "body": 1, "canal": 2, "disc": 3}
    dataset = {"channel_names": {"0": "T2w"}, "labels": labels, "file_ending": ".nii.gz"}
    contents = {
        "plans.json": plans or nnunet_plans(),
        "dataset.json": dataset,
        "inference_config.json": {**SEMANTIC_CONFIG, **(config or {})},
    }
    for file, content in contents.items():
        (folder / file).write_text(json.dumps(content))
    return folder
