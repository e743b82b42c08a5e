"""Check a semantic model folder: an nnU-Net v2 results folder beside `inference_config.json`.

Wirbel's weights: `fold_*/checkpoint_final.safetensors`, for a network that sees arrays along the
model's axes. nnU-Net's: `fold_*/checkpoint_final.pth`, otherwise `checkpoint_best.pth`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wirbel.core.inference_config import InferenceConfig
from wirbel.models.errors import ModelError
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.folders.json_files import decode_json, read_json
from wirbel.models.folders.plans import DATASET, PLANS, check_files, judged_plans
from wirbel.models.folders.schema import REMEDY, check_content, refusal
from wirbel.models.folders.weights import Header, check_archive, read_header
from wirbel.models.folders.wording import short

OURS = "checkpoint_final.safetensors"
CHECKPOINTS = (OURS, "checkpoint_final.pth", "checkpoint_best.pth")
"""In order of preference; all folds of an ensemble use the same one."""
ALL = "all"
"""The fold that was trained on all cases; published folders may have no other."""
AXES = "inference_allowed_mirroring_axes"


def check_semantic(folder: Path, config: InferenceConfig) -> None:
    """Raise ModelError if a folder cannot be used; only the headers of the weights are read."""
    results = results_folder(folder)
    plans, dataset = read_plans_files(results)
    names = set()
    for path in fold_files(results, config.available_folds):
        if path.name == OURS:
            names.add(fold_metadata(read_header(path), path)["configuration"])
        else:
            check_archive(path)
    if (
        not names and len(plans["configurations"]) == 1
    ):  # only torch can read the configuration in a pickle
        names = set(plans["configurations"])
    for name in names:
        check_classes(config, judged_plans(plans, dataset, name, str(results)).heads, folder)


def results_folder(folder: Path) -> Path:
    """Return the folder of plans.json: `folder` itself, or the only one below it."""
    if (folder / PLANS).exists():
        return folder
    found = sorted(path.parent for path in folder.rglob(PLANS))
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(place.relative_to(folder)) for place in found[:8])
    there = f"expected one {PLANS}, found one in each of {names}" if found else ""
    raise ModelError(
        f"{folder} is not a semantic model folder: "
        + (there or f"there is no {PLANS} in it")
        + "; give the folder of a semantic model"
    )


def read_plans_files(results: Path) -> tuple[Any, Any]:
    """Return the decoded plans.json and dataset.json after the checks that hold for every
    configuration.
    """
    plans, dataset = read_json(results / PLANS), read_json(results / DATASET)
    check_files(plans, dataset, str(results))
    return plans, dataset


def fold_files(results: Path, wanted: int | Iterable[int | str]) -> list[Path]:
    """Return the checkpoints of the folds that `available_folds` gives, as a number or by name.

    If none of these folds exists, the fold `all` is used.

    Raises
    ------
    ModelError
        If a checkpoint is missing.
    """
    names = [str(name) for name in (range(wanted) if isinstance(wanted, int) else wanted)]
    folders = [results / f"fold_{name}" for name in names]
    if not any(folder.is_dir() for folder in folders) and (results / f"fold_{ALL}").is_dir():
        folders = [results / f"fold_{ALL}"]
    for checkpoint in CHECKPOINTS:
        if folders and all((folder / checkpoint).is_file() for folder in folders):
            return [folder / checkpoint for folder in folders]
    without = [f.name for f in folders if not any((f / name).is_file() for name in CHECKPOINTS)]
    raise ModelError(
        f"{results}: expected one of {', '.join(CHECKPOINTS)} in each of "
        f"{_few(f.name for f in folders)}; missing in {_few(without) or 'some'}; "
        "copy or fetch the model again, or correct available_folds"
    )


def fold_metadata(header: Header, path: Path) -> dict[str, Any]:
    """Return the configuration and mirrored axes stored in one of Wirbel's safetensors files."""
    found: dict[str, Any] = dict(header.metadata)
    if AXES in found:
        found[AXES] = decode_json(found[AXES], f"{path}: {AXES}")
    check_content(found, "fold", str(path))
    return found


def check_classes(config: InferenceConfig, heads: int, folder: Path) -> None:
    """Raise ModelError if the settings give a label to a class that the network does not have."""
    beyond = [index for index in config.labels if index >= heads]
    if beyond:
        sentence = f"expected classes below {heads}, as {DATASET} has them, found {beyond[0]}"
        raise refusal(str(folder / FILE_NAME), ["labels"], sentence)


def check_same_configuration(names: Iterable[str], results: Path) -> None:
    """Raise ModelError unless all folds have the same configuration."""
    found = sorted(set(names))
    if len(found) > 1:
        raise ModelError(
            f"{results}: expected folds of one configuration, found {short(found)}; {REMEDY}"
        )


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")
