"""Where a semantic model folder keeps the weights of its folds: our own format, or nnU-Net's.

Ours: `fold_*/checkpoint_final.safetensors`, for a network that sees arrays along the model's axes. nnU-Net's:
`fold_*/checkpoint_final.pth` (else `checkpoint_best.pth`), for a network that sees them reversed, since nnU-Net's
readers hand every NIfTI over in the order of SimpleITK.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wirbel.learning.checkpoints import Weights, read_pickled_checkpoint, read_weights
from wirbel.models.inference_config import read_inference_config

OURS = "checkpoint_final.safetensors"
CHECKPOINTS = (OURS, "checkpoint_final.pth", "checkpoint_best.pth")
"""In order of preference; all folds of an ensemble are of one kind."""
ALL = "all"
"""Name of the fold that was trained on all cases; published folders may hold nothing else."""


@dataclass(frozen=True)
class Fold:
    """The weights of one fold and what is stored with them."""

    weights: Weights
    configuration: str
    mirror_axes: tuple[int, ...]
    """Spatial axes along which the training mirrored, in the order that the network sees; empty: none."""
    reversed_axes: bool
    """Whether the network sees arrays with reversed axes."""


def results_folder(folder: Path) -> Path:
    """Return where plans.json is: the folder itself, or the one folder below that has it."""
    if (folder / "plans.json").exists():
        return folder
    found = sorted(path.parent for path in folder.rglob("plans.json"))
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(place.relative_to(folder)) for place in found)
    there = f"expected one plans.json, found one in each of {names}" if found else ""
    raise ValueError(
        f"{folder} is no semantic model folder: " + (there or "there is no plans.json in it")
    )


def read_folds(results: Path, wanted: int | Iterable[int | str]) -> list[Fold]:
    """Return the folds that `available_folds` names: their number, or their names.

    Where none of them exists the fold `all` is taken. Raises ValueError on missing checkpoints.
    """
    names = [str(name) for name in (range(wanted) if isinstance(wanted, int) else wanted)]
    folders = [results / f"fold_{name}" for name in names]
    if not any(folder.is_dir() for folder in folders) and (results / f"fold_{ALL}").is_dir():
        folders = [results / f"fold_{ALL}"]
    for checkpoint in CHECKPOINTS:
        if folders and all((folder / checkpoint).is_file() for folder in folders):
            return [_read_fold(folder / checkpoint) for folder in folders]
    without = [f.name for f in folders if not any((f / name).is_file() for name in CHECKPOINTS)]
    raise ValueError(
        f"{results}: expected one of {', '.join(CHECKPOINTS)} in each of "
        f"{', '.join(f.name for f in folders) or 'no folds'}; missing in {', '.join(without) or 'some'}"
    )


def read_first_fold(folder: Path) -> Weights:
    """Return the weights of a model folder's first fold; raises ValueError where there are none."""
    folds = read_inference_config(folder).available_folds
    return read_folds(results_folder(folder), folds)[0].weights


def _read_fold(path: Path) -> Fold:
    if path.name == OURS:
        weights, text = read_weights(path)
        axes = json.loads(text["inference_allowed_mirroring_axes"])
        return Fold(weights, text["configuration"], tuple(axes or ()), False)
    content = read_pickled_checkpoint(path)
    try:
        weights, configuration = content["network_weights"], content["init_args"]["configuration"]
        weights = {name.removeprefix("module."): value.float() for name, value in weights.items()}
    except (KeyError, TypeError, AttributeError):
        raise ValueError(
            f"{path} is no nnU-Net checkpoint: expected network_weights and init_args in it"
        ) from None
    axes = content.get("inference_allowed_mirroring_axes")
    return Fold(weights, configuration, tuple(axes or ()), True)
