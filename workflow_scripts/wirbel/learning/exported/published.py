"""A trained model folder in the published formats, so that SPINEPS and nnU-Net run it as well.

Semantic: an nnU-Net v2 results folder with a pickled checkpoint. nnU-Net's readers hand arrays over in SimpleITK's
order, the model's axes reversed; our networks are trained along the model's axes, so the plans reverse them back
(`transpose_forward`). Instance: one Lightning checkpoint, of networks with the published architecture only. Labelling:
one Lightning checkpoint, the only format of such networks. Fields are those that SPINEPS 2.1.3 and nnU-Net 2.8 read.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from wirbel.core.inference_config import PUBLISHED_CHANNELS
from wirbel.io.atomic import write_text
from wirbel.learning.checkpoints import FINAL, Weights, load_into, write_pickled_checkpoint
from wirbel.learning.labelling.labelling_settings import LabellingSettings
from wirbel.learning.semantic.nnunet_plans import build_network, read_plans
from wirbel.learning.semantic.semantic_plans import CONFIGURATION
from wirbel.learning.semantic.semantic_weights import read_folds
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.folders.labelling import PATTERN
from wirbel.models.folders.semantic import AXES

REVERSED = [2, 1, 0]
TRAINER_NAME = "nnUNetTrainer"
"""nnU-Net looks this class up in its own package; a network needs no other one for inference."""
OWN_FIELDS = ("resamples_to_plans", "network")
"""Fields of `inference_config.json` that SPINEPS does not know."""
CHECKPOINT = "instance_weights.ckpt"
LIGHTNING = "2.1.0"
"""Version of Lightning's format that the checkpoint follows."""
COPIED = ("dataset.json", "losses.tsv", "training.tsv", "README.md")


def publish_semantic(source: Path, target: Path) -> None:
    """Write the semantic model folder `source`, which is in Wirbel's format, in nnU-Net's to `target`."""
    plans, dataset = (
        json.loads((source / name).read_text(encoding="utf-8"))
        for name in ("plans.json", "dataset.json")
    )
    network = build_network(read_plans(plans, dataset, CONFIGURATION, str(source)))
    (fold,) = read_folds(source, [0])
    load_into(network, fold.weights)
    checkpoint = {
        "network_weights": {k: v.contiguous() for k, v in network.state_dict().items()},
        "trainer_name": TRAINER_NAME,
        "init_args": {"configuration": CONFIGURATION, "fold": 0},
        AXES: list(fold.mirror_axes) or None,
    }
    (target / "fold_0").mkdir(parents=True, exist_ok=True)
    write_pickled_checkpoint(target / "fold_0" / FINAL, checkpoint)
    for name in COPIED:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    axes = {"transpose_forward": REVERSED, "transpose_backward": REVERSED}
    _write_json(target / "plans.json", {**plans, **axes})
    config = json.loads((source / FILE_NAME).read_text(encoding="utf-8"))
    _write_json(target / FILE_NAME, published_config(config))


def write_published_instance(
    weights: Weights, width: int, channels: int, config: dict[str, Any], target: Path
) -> None:
    """Write an instance network of the published architecture as SPINEPS loads it.

    Parameters
    ----------
    weights : dict of str to Tensor
        Of `PublishedUNet`.
    width, channels : int
        Its size.
    config : dict
        Content of `inference_config.json`.
    target : Path
        Model folder to write.
    """
    options = argparse.Namespace(
        channelwise=True, n_epoch=1, lr=1e-4, lr_end_factor=0.01, l2_reg_w=0.0, dsc_loss_w=1.0
    )
    checkpoint = {
        "epoch": 0,
        "global_step": 0,
        "pytorch-lightning_version": LIGHTNING,
        "state_dict": {f"network.{k}": v.contiguous() for k, v in weights.items()},
        "hparams_name": "kwargs",
        "hyper_parameters": {"opt": options, "do2D": False, "num_channels": channels, "dim": width},
    }
    target.mkdir(parents=True, exist_ok=True)
    write_pickled_checkpoint(target / CHECKPOINT, checkpoint)
    mapping = {str(k): v for k, v in sorted(PUBLISHED_CHANNELS.items())}
    _write_json(target / FILE_NAME, {**published_config(config), "mapping": mapping})


def write_published_labelling(
    weights: Weights, settings: LabellingSettings, steps: int, f1: float, config: dict, target: Path
) -> None:
    """Write a labelling network as SPINEPS loads it; checkpoints of earlier exports are removed.

    Parameters
    ----------
    weights : dict of str to Tensor
        Of `LabellingClassifier`.
    settings : LabellingSettings
        Its structure.
    steps : int
        Of its training.
    f1 : float
        Macro F1 score of the level head, for the file's name.
    config : dict
        Content of `inference_config.json`.
    target : Path
        Model folder to write.
    """
    heads = settings.network().heads
    options = argparse.Namespace(
        backbone=settings.backbone,
        classification_conv=False,
        classification_linear=True,
        in_channel=1,
        not_pretrained=True,
        num_classes=len(heads),
        mse_weighting=0.0,
        l2_regularization_w=0.0,
        final_size=tuple(settings.cutout_size),
    )
    checkpoint = {
        "epoch": 0,
        "global_step": steps,
        "pytorch-lightning_version": LIGHTNING,
        "state_dict": {name: value.contiguous() for name, value in weights.items()},
        "hparams_name": "kwargs",
        "hyper_parameters": {"opt": options, "group_2_n_channel": heads},
    }
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"step={steps}-val_f1={f1:.4f}_valf1-weights.ckpt"
    write_pickled_checkpoint(path, checkpoint)
    for old in set(target.rglob(PATTERN)) - {path}:
        old.unlink()
    _write_json(target / FILE_NAME, published_config(config))


def published_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return an `inference_config.json` with the published fields only."""
    return {key: value for key, value in config.items() if key not in OWN_FIELDS}


def _write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=1) + "\n")
