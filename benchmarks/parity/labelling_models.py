"""Labelling networks in the published format for `make parity`: fixed random weights that favour some levels.

Random weights answer nearly alike whatever they are shown, and seldom with the rare sequences. So the last layer of
every head is scaled until its answers vary over made pictures, and shifted towards the levels that a network is to
favour.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from wirbel.core.labelling.level_axis import EXPLICIT, GROUPS, REPEATING
from wirbel.learning.labelling.labelling_network import LabellingClassifier, LabellingNetwork

HEADS = {"REGION": 3, "VERT": 24, "VERTGRP": 12, "VERTREL": 6, "VERTT13": 2, "FULLYVISIBLE": 2}
EXACT = {"REGION": 3, "VERTEX": 26, "VERTREL": 6, "FULLYVISIBLE": 2}
TURNED, UPRIGHT = "sagittal_v4corpus_npz", "sagittal_v3corpus_npz"
SIZE, PUBLISHED_SIZE = (96, 112, 32), (152, 168, 32)
SPREAD = 2.0
"""Standard deviation of a logit over made pictures."""
FAVOUR = 16.0
"""Added to the logits of favoured levels."""
PICTURES = 6
BLUR_VOXELS = 4.0
SPACING_MM = [0.8571, 0.8571, 3.3]


@dataclass(frozen=True)
class Variant:
    """A network: what it favours, its heads, and how it wants to see vertebrae."""

    favoured: tuple[str, ...] = ()
    heads: tuple[tuple[str, int], ...] = tuple(HEADS.items())
    seed: int = 1
    backbone: str = "DENSENET121"
    size: tuple[int, int, int] = SIZE
    training_set: str = UPRIGHT


EXACT_HEADS = tuple(EXACT.items())
VARIANTS = {
    "random-1": Variant(),
    "random-2": Variant(seed=2),
    "random-3": Variant(seed=3),
    "published-size": Variant(seed=3, backbone="DENSENET169", size=PUBLISHED_SIZE),
    "turned": Variant(("T4", "T5"), training_set=TURNED),
    "favours-C2": Variant(("C2", "C3")),
    "favours-L4": Variant(("L3", "L4"), seed=2),
    "favours-L5": Variant(("L5",)),
    "exact-1": Variant(heads=EXACT_HEADS),
    "exact-2": Variant(heads=EXACT_HEADS, seed=2),
    "exact-favours-T13": Variant(("T12", "T13"), EXACT_HEADS),
    "exact-favours-L6": Variant(("L6",), EXACT_HEADS, seed=4),
}
"""On the phantom's piece their sequences hold T13, L6, T11 above L1, and begin at C2 and below."""


def write_labelling(folder: Path, variant: Variant) -> Path:
    """Write a folder: `inference_config.json` and one Lightning checkpoint in a sub-folder."""
    heads = dict(variant.heads)
    torch.manual_seed(variant.seed)
    network = LabellingClassifier(LabellingNetwork(variant.backbone, heads))
    features = _features(network, variant)
    for name, head in network.classification_heads.items():
        _spread(head, features)
        for level in variant.favoured:
            if (place := _class_of(level, name)) is not None:
                head[-1].bias.data[place] += FAVOUR
    content = {
        "epoch": 0,
        "global_step": 0,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": network.state_dict(),
        "hparams_name": "kwargs",
        "hyper_parameters": {"opt": _options(variant), "group_2_n_channel": heads},
    }
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    torch.save(content, folder / "checkpoints" / "epoch=0-val_f1=0.99_valf1-weights.ckpt")
    (folder / "inference_config.json").write_text(json.dumps(SETTINGS))
    return folder


@torch.no_grad()
def _features(network: LabellingClassifier, variant: Variant) -> torch.Tensor:
    """Return what the backbone says about made pictures: smooth noise with mean 0 and standard deviation 1."""
    make = np.random.default_rng(variant.seed)
    pictures = [
        gaussian_filter(make.normal(size=variant.size), BLUR_VOXELS) for _ in range(PICTURES)
    ]
    pictures = [(picture - picture.mean()) / picture.std() for picture in pictures]
    parts = [torch.tensor(picture[None, None], dtype=torch.float32) for picture in pictures]
    return torch.cat([network.eval().net(part) for part in parts])


@torch.no_grad()
def _spread(head: torch.nn.Sequential, features: torch.Tensor) -> None:
    """Scale and shift the last layer so that every logit has mean 0 and standard deviation `SPREAD`."""
    logits = head(features)
    scale = SPREAD / (logits.std(0) + 1e-12)
    head[-1].weight *= scale[:, None]
    head[-1].bias.copy_((head[-1].bias - logits.mean(0)) * scale)


SETTINGS = {
    "log_name": "parity",
    "modality": ["T2w"],
    "acquisition": "sag",
    "modeltype": "classifier",
    "model_expected_orientation": ["P", "I", "R"],
    "available_folds": 1,
    "inference_augmentation": False,
    "resolution_range": SPACING_MM,
    "default_step_size": 0.5,
    "labels": {"1": 1},
}


def _options(variant: Variant) -> argparse.Namespace:
    """Return the options of a training, as far as SPINEPS asks for them."""
    return argparse.Namespace(
        backbone=variant.backbone,
        classification_conv=False,
        classification_linear=True,
        in_channel=1,
        not_pretrained=True,
        num_classes=len(variant.heads),
        mse_weighting=0.0,
        l2_regularization_w=1e-6,
        final_size=variant.size,
        ds_name=variant.training_set,
    )


def _class_of(level: str, head: str) -> int | None:
    """Return a level's class in a head, None where the head has none for it."""
    if head == "REGION":
        return "CTL".index(level[0])
    if head == "VERTGRP":
        return next((i for i, group in enumerate(GROUPS) if level in group), None)
    names = {"VERT": REPEATING.names, "VERTEX": EXPLICIT.names}.get(head, ())
    return names.index(level) if level in names else None
