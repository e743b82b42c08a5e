"""Turn trained checkpoints into model folders: half precision, no pickles.

Beside each model are `losses.tsv`, the course of its training (also as `curves.csv` and
`curves.png`), and `training.tsv`, facts for its card. An instance network of the published
architecture and a labelling network get the published formats, which Wirbel reads as well.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from wirbel.core.geometry import MODEL_AXES
from wirbel.core.inference_config import PUBLISHED_CHANNELS
from wirbel.core.labels import CANAL, CORD, DISC, ENDPLATE, SACRUM
from wirbel.learning.checkpoints import Weights, read_pickled_checkpoint, write_weights
from wirbel.learning.exported.curves import write_curves
from wirbel.learning.exported.published import write_published_instance, write_published_labelling
from wirbel.learning.instance.instance_model import WEIGHTS_NAME
from wirbel.learning.instance.instance_network import InstanceNetwork
from wirbel.learning.labelling.labelling_settings import LabellingSettings
from wirbel.learning.semantic.semantic_plans import (
    CONFIGURATION,
    PLANS_NAME,
    SEMANTIC_LABELS,
    T2W,
    TRAINER_NAME,
    PatchNetwork,
    SemanticNetwork,
    limits_mm,
)
from wirbel.learning.semantic.semantic_weights import read_first_fold
from wirbel.learning.training.training_cases import TrainingFolder
from wirbel.learning.training.training_settings import Budget
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.folders.semantic import AXES

INSTANCE_CHANNELS = {
    **PUBLISHED_CHANNELS,
    DISC: 10,
    ENDPLATE: 11,
    SACRUM: 12,
    CORD: 13,
    CANAL: 13,
}
"""Wirbel's instance network also sees discs, endplates, the sacrum and the canal with its cord."""


def export_semantic(
    checkpoint: Path,
    folder: TrainingFolder,
    network: SemanticNetwork,
    target: Path,
    budget: Budget | None = None,
) -> None:
    """Write the semantic model folder `target` from nnU-Net's checkpoint and plans.

    With `kept_share` in the budget, the weights are means of the trained ones and those that the training started
    from, which keeps what a short training on few scans would unlearn (Wortsman et al., CVPR 2022,
    doi:10.1109/CVPR52688.2022.00780).

    Parameters
    ----------
    checkpoint : Path
        nnU-Net's checkpoint.
    folder : TrainingFolder
        Holds plans and dataset of the training.
    network : SemanticNetwork
        The network's settings.
    target : Path
        Model folder to write.
    budget : Budget, optional
        Settings of the training; without it the weights are taken as they are.
    """
    content = read_pickled_checkpoint(checkpoint)
    plans = json.loads((folder.dataset / f"{PLANS_NAME}.json").read_text())
    dataset = json.loads((folder.dataset / "dataset.json").read_text())
    fold = target / "fold_0"
    fold.mkdir(parents=True, exist_ok=True)
    metadata = {
        "configuration": CONFIGURATION,
        "trainer_name": TRAINER_NAME,
        AXES: json.dumps(content.get(AXES)),
    }
    weights = content["network_weights"]
    if budget is not None and budget.kept_share:
        weights = _mean(weights, read_first_fold(Path(budget.start_from)), budget.kept_share)
    write_weights(fold / "checkpoint_final.safetensors", weights, metadata)
    _write_json(target / "plans.json", plans)
    _write_json(target / "dataset.json", dataset)
    facts = {"epochs": content["current_epoch"], "minutes": content.get("minutes", "n/a")}
    _describe(checkpoint, folder, facts, target)
    _write_json(target / FILE_NAME, semantic_config(network))


def _mean(trained: Weights, before: Weights, kept_share: float) -> Weights:
    """Return means of two networks' weights; `before` may name a shared tensor only once."""
    return {
        name: (1 - kept_share) * trained[name] + kept_share * value
        for name, value in before.items()
    }


def export_instance(checkpoint: Path, folder: TrainingFolder, target: Path) -> None:
    """Write the instance model folder `target` from the trainer's checkpoint."""
    content = read_pickled_checkpoint(checkpoint)
    network = InstanceNetwork.from_dict(content["settings"])
    config = instance_config(network, content["mapping"])
    target.mkdir(parents=True, exist_ok=True)
    if network.published_width:
        channels = 1 + max(content["mapping"].values())
        width = network.published_width
        write_published_instance(content["network"], width, channels, config, target)
    else:
        write_weights(target / WEIGHTS_NAME, content["network"], {})
        _write_json(target / FILE_NAME, config)
    facts = {"steps": content["step"], "minutes": content["minutes"]}
    _describe(checkpoint, folder, facts, target)


def export_labelling(
    checkpoint: Path, folder: TrainingFolder, grid: PatchNetwork, target: Path
) -> None:
    """Write the labelling model folder `target` from the trainer's checkpoint.

    Parameters
    ----------
    checkpoint : Path
        The trainer's checkpoint.
    folder : TrainingFolder
        Holds the cases of the training.
    grid : PatchNetwork
        The network for which the cases were made: their grid is its.
    target : Path
        Model folder to write.
    """
    content = read_pickled_checkpoint(checkpoint)
    settings = LabellingSettings.from_dict(content["settings"])
    grid = replace(grid, spacing_mm=settings.spacing_mm(grid.spacing_mm))
    written = content["network"], settings, content["step"], content["val_f1"]
    write_published_labelling(*written, labelling_config(grid), target)
    facts = {"steps": content["step"], "minutes": content["minutes"], "val_f1": content["val_f1"]}
    _describe(checkpoint, folder, facts, target)


def export_translator(checkpoint: Path, target: Path) -> None:
    """Write the translator's model folder `target` from the trainer's checkpoint."""
    content = read_pickled_checkpoint(checkpoint)
    network = PatchNetwork.from_dict(content["settings"])
    target.mkdir(parents=True, exist_ok=True)
    write_weights(target / WEIGHTS_NAME, content["network"], {})
    _write_json(target / FILE_NAME, translator_config(network))
    pairs = {f"pairs_{name}": number for name, number in content["pairs"].items()}
    facts = {"steps": content["step"], "minutes": content["minutes"]}
    _record(checkpoint, {**pairs, "torch": torch.__version__, **facts}, target)


def semantic_config(network: SemanticNetwork) -> dict[str, Any]:
    """Return the content of the semantic model's `inference_config.json`."""
    labels = {str(index): str(label) for index, label in enumerate(SEMANTIC_LABELS, start=1)}
    return {
        **_common("wirbel_semantic", "nnunet", network, network.contrast),
        "resamples_to_plans": network.slices_mm is None,
        "available_folds": [0],
        "default_step_size": 0.5,
        "labels": labels,
    }


def instance_config(network: InstanceNetwork, mapping: dict[int, int]) -> dict[str, Any]:
    """Return the content of the instance model's `inference_config.json`."""
    return {
        **_common("wirbel_instance", "unet", network),
        "available_folds": 1,
        "default_step_size": 0.5,
        "labels": {"1": "1", "2": "2", "3": "3"},
        "expected_inputs": ["seg"],
        "cutout_size": list(network.cutout_size),
        "mapping": {str(label): channel for label, channel in sorted(mapping.items())},
        "network": {k: v for k, v in network.as_dict().items() if k != "published_width"},
    }


def labelling_config(grid: PatchNetwork) -> dict[str, Any]:
    """Return the content of the labelling model's `inference_config.json`; SPINEPS wants a label in it."""
    return {
        **_common("wirbel_labelling", "classifier", grid),
        "available_folds": 1,
        "default_step_size": 0.5,
        "labels": {"1": 1},
    }


def translator_config(network: PatchNetwork) -> dict[str, Any]:
    """Return the content of the translator's `inference_config.json`; its output has no labels but background."""
    return {
        **_common("wirbel_translator", "translator", network),
        "available_folds": 1,
        "default_step_size": 0.5,
        "labels": {"0": 0},
        "network": network.as_dict(),
    }


def _common(
    name: str, kind: str, network: PatchNetwork | InstanceNetwork, modality: str = T2W
) -> dict[str, Any]:
    limits = [list(end) for end in limits_mm(network.spacing_mm, network.slices_mm)]
    return {
        "log_name": name,
        "modality": [modality],
        "acquisition": "sag",
        "modeltype": kind,
        "model_expected_orientation": list(MODEL_AXES),
        "inference_augmentation": False,
        "resolution_range": limits if network.slices_mm else limits[0],
    }


def _describe(
    checkpoint: Path, folder: TrainingFolder, facts: dict[str, Any], target: Path
) -> None:
    """Write what is known about the training beside the model: facts and losses."""
    cases = folder.case_names()
    known = {
        "cases": len(cases),
        "first_case": cases[0] if cases else "",
        "last_case": cases[-1] if cases else "",
        "real_cases": len(folder.partial_names()),
        "torch": torch.__version__,
        **facts,
    }
    _record(checkpoint, known, target)


def _record(checkpoint: Path, known: dict[str, Any], target: Path) -> None:
    """Write facts of a training as `training.tsv`, and copy its losses with their curves."""
    lines = [f"{fact}\t{value}\n" for fact, value in {"fact": "value", **known}.items()]
    (target / "training.tsv").write_text("".join(lines), encoding="utf-8")
    losses = checkpoint.with_name("losses.tsv")
    if losses.exists():
        shutil.copyfile(losses, target / losses.name)
        write_curves(losses, target)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
