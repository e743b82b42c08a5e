"""Model folders in the published formats for `make parity`: from the embedded weights, and trained on the spot."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from wirbel.learning.checkpoints import load_into
from wirbel.learning.instance.instance_model import InstanceModel
from wirbel.learning.instance.instance_network import one_hot
from wirbel.learning.instance.instance_samples import (
    Variation,
    VertebraCase,
    draw_sample,
    prepare_case,
)
from wirbel.learning.instance.instance_trainer import dice_and_cross_entropy
from wirbel.learning.instance.published_network import PublishedUNet
from wirbel.learning.precision import CHANNELS_LAST, quick_arithmetic
from wirbel.learning.semantic.nnunet_plans import build_network, read_plans
from wirbel.learning.semantic.semantic_weights import read_folds
from wirbel.models.folders.inference_config import read_inference_config
from wirbel.phantom import make_phantom

EMBEDDED = Path(__file__).resolve().parents[2] / "models" / "builtin"
CUTOUT = (96, 128, 16)
"""What networks are trained on here: smaller than the published size, for the sake of time."""
TRAINING_SEEDS = range(300000, 300006)
STEPS = 160
RATE = 4e-3
NOISE = 0.02
"""Share of a weight by which the second fold's differ from the embedded ones."""
VARIANTS = {"older": (16, 10), "newer": (8, 11)}
PUBLISHED_CUTOUT = (248, 304, 64)


def published_settings(kind: str) -> dict:
    """Return an embedded network's settings without what only Wirbel knows: the grid has one voxel size."""
    config = json.loads((EMBEDDED / kind / "inference_config.json").read_text())
    config.pop("resamples_to_plans", None)
    least = config["resolution_range"][0]
    if isinstance(least, list):
        plans = json.loads((EMBEDDED / "semantic" / "plans.json").read_text())
        config["resolution_range"] = plans["configurations"]["3d_fullres"]["spacing"]
    return config


def write_semantic(folder: Path, folds: int) -> Path:
    """Write the embedded semantic network as nnU-Net would have: arrays with reversed axes, .pth files."""
    source = EMBEDDED / "semantic"
    plans = json.loads((source / "plans.json").read_text())
    dataset = json.loads((source / "dataset.json").read_text())
    fold = read_folds(source, [0])[0]
    network = build_network(read_plans(plans, dataset, fold.configuration))
    load_into(network, fold.weights)
    generator = torch.Generator().manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(folds):
        state = {name: _reversed(value) for name, value in network.state_dict().items()}
        if number:
            state = {name: _noisy(value, generator) for name, value in state.items()}
        place = folder / f"fold_{number}"
        place.mkdir(exist_ok=True)
        content = {
            "network_weights": state,
            "init_args": {"configuration": fold.configuration},
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": None,
        }
        torch.save(content, place / "checkpoint_final.pth")
    (folder / "plans.json").write_text(json.dumps(_reversed_plans(plans, fold.configuration)))
    shutil.copyfile(source / "dataset.json", folder / "dataset.json")
    config = published_settings("semantic")
    config["available_folds"] = folds
    (folder / "inference_config.json").write_text(json.dumps(config))
    return folder


def write_plugged(folder: Path) -> Path:
    """Write the embedded instance network compiled, for SPINEPS alone."""
    model = InstanceModel(EMBEDDED / "instance", "cpu", 1)
    network = model.network.to(memory_format=torch.contiguous_format)
    example = torch.zeros(1, model.channels, *model.config.cutout_size)
    folder.mkdir(parents=True, exist_ok=True)
    torch.jit.trace(network, example).save(str(folder / "network.pt"))
    (folder / "plugged.json").write_text(json.dumps({"channels": model.channels}))
    config = published_settings("instance")
    del config["network"]
    (folder / "inference_config.json").write_text(json.dumps(config))
    return folder


def write_embedded(folder: Path) -> Path:
    """Write the embedded instance network in our own format, to be treated as a published one."""
    shutil.copytree(EMBEDDED / "instance", folder, dirs_exist_ok=True)
    config = published_settings("instance") | {"compatibility": "published"}
    (folder / "inference_config.json").write_text(json.dumps(config))
    return folder


def write_trained(folder: Path, variant: str) -> Path:
    """Write a published instance network, trained for some minutes to part the vertebrae of simulated maps.

    Random weights do not do: half of a thousandth of their voxels lie so near to a tie that rounding decides.
    """
    width, channels = VARIANTS[variant]
    folder.mkdir(parents=True, exist_ok=True)
    config = published_settings("instance")
    del config["network"], config["mapping"]
    config["cutout_size"] = list(CUTOUT)
    (folder / "inference_config.json").write_text(json.dumps(config))
    weights = folder / f"step={STEPS}-rate={RATE}-weights.ckpt"
    if weights.exists():
        return folder
    for old in folder.glob("*.ckpt"):
        old.unlink()
    torch.manual_seed(3)
    network = PublishedUNet(width, channels)
    _train(network, read_inference_config(folder).mapping, channels)
    _write_checkpoint(weights, network, variant)
    return folder


def write_published_size(folder: Path, trained: Path) -> Path:
    """Write a trained network once more, to be run on cut-outs of the published size."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(trained, folder)
    config = json.loads((folder / "inference_config.json").read_text())
    config["cutout_size"] = list(PUBLISHED_CUTOUT)
    (folder / "inference_config.json").write_text(json.dumps(config))
    return folder


def _write_checkpoint(path: Path, network: PublishedUNet, variant: str) -> None:
    """Write weights as Lightning does, with the hyper-parameters of the variant's own checkpoint."""
    width, channels = VARIANTS[variant]
    settings = argparse.Namespace(
        n_epoch=1, lr=1e-4, lr_end_factor=0.01, l2_reg_w=1e-4, dsc_loss_w=1.0, channelwise=True
    )
    known = {"opt": None, "do2D": False}
    if variant == "newer":
        known = {"opt": settings, "do2D": False, "num_channels": channels, "dim": width}
    content = {
        "epoch": 0,
        "global_step": 0,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": {f"network.{name}": value for name, value in network.state_dict().items()},
        "hparams_name": "kwargs",
        "hyper_parameters": known,
    }
    torch.save(content, path)


def _train(network: PublishedUNet, mapping: dict[int, int], channels: int) -> None:
    """Train in place, on cut-outs of a few phantoms' true maps."""
    random = np.random.default_rng(3)
    cases = [_case(seed) for seed in TRAINING_SEEDS]
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, STEPS)
    for _ in tqdm(range(STEPS), desc="training an instance network of the published format"):
        case = cases[int(random.integers(len(cases)))]
        labels, target = (
            torch.from_numpy(part)[None] for part in draw_sample(case, CUTOUT, Variation(), random)
        )
        with quick_arithmetic(torch.device("cpu")):
            scores = network(
                one_hot(labels, mapping, channels).contiguous(memory_format=CHANNELS_LAST)
            )
        optimizer.zero_grad()
        dice_and_cross_entropy(scores.float(), target).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 12)
        optimizer.step()
        schedule.step()
    network.eval()


def _case(seed: int) -> VertebraCase:
    spacing_mm = tuple(published_settings("instance")["resolution_range"])
    phantom = make_phantom(seed, with_truth=False, model_grid_spacing_mm=spacing_mm)
    return prepare_case(phantom.model_subregion.data, phantom.model_vertebra.data)


def _reversed(value: torch.Tensor) -> torch.Tensor:
    return value.permute(0, 1, 4, 3, 2).contiguous() if value.dim() == 5 else value.clone()


def _noisy(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return value * (1 + NOISE * torch.randn(value.shape, generator=generator))


def _reversed_plans(plans: dict, configuration: str) -> dict:
    chosen = plans["configurations"][configuration]
    for key in ("patch_size", "spacing", "median_image_size_in_voxels"):
        chosen[key] = chosen[key][::-1]
    settings = chosen["architecture"]["arch_kwargs"]
    for key in ("kernel_sizes", "strides"):
        settings[key] = [sizes[::-1] for sizes in settings[key]]
    return plans
