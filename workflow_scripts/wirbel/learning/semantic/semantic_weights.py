"""Read the weights of a semantic model folder's folds, in Wirbel's format or nnU-Net's.

`models.folders.semantic` describes both. Wirbel's network sees arrays along the model's axes.
nnU-Net's sees them reversed, because its readers return every NIfTI file in SimpleITK's order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from wirbel.learning.checkpoints import Weights, read_pickled_checkpoint, read_weights, tensors
from wirbel.learning.filling import shapes_of
from wirbel.models.errors import ModelError
from wirbel.models.folders.inference_config import read_inference_config
from wirbel.models.folders.schema import check_content
from wirbel.models.folders.semantic import (
    AXES,
    OURS,
    check_same_configuration,
    fold_files,
    fold_metadata,
    results_folder,
)
from wirbel.models.folders.weights import Shapes, read_header
from wirbel.models.folders.wording import short


@dataclass(frozen=True)
class Fold:
    """One fold: what its file says, and its weights, which are read on first use."""

    source: Path
    configuration: str
    mirror_axes: tuple[int, ...]
    """Spatial axes along which the training mirrored, in the order that the network sees."""
    shapes: Shapes
    unpickled: Weights | None
    """The tensors of a pickled file, which is always read as a whole."""

    @property
    def reversed_axes(self) -> bool:
        """Whether the network sees arrays with reversed axes."""
        return self.unpickled is not None

    @cached_property
    def weights(self) -> Weights:
        """The weights in single precision; check `shapes` first."""
        if self.unpickled is None:
            return read_weights(self.source)[0]
        return {name: value.float() for name, value in self.unpickled.items()}


def read_folds(results: Path, wanted: int | Iterable[int | str]) -> list[Fold]:
    """Return the folds that `available_folds` names.

    Raises
    ------
    ModelError
        If a checkpoint is missing or damaged.
    """
    folds = [_read_fold(path) for path in fold_files(results, wanted)]
    check_same_configuration((fold.configuration for fold in folds), results)
    return folds


def read_first_fold(folder: Path) -> Weights:
    """Return the weights of a model folder's first fold; raise ModelError if there are none."""
    folds = read_inference_config(folder).available_folds
    return read_folds(results_folder(folder), folds)[0].weights


def _read_fold(path: Path) -> Fold:
    if path.name == OURS:
        header = read_header(path)
        told, shapes, weights = fold_metadata(header, path), header.shapes, None
    else:
        told, weights = _pickled(path)
        shapes = shapes_of(weights)
    return Fold(path, told["configuration"], tuple(told[AXES] or ()), shapes, weights)


def _pickled(path: Path) -> tuple[dict[str, Any], Weights]:
    """Return what an nnU-Net checkpoint says about itself, and its weights."""
    content = read_pickled_checkpoint(path)
    weights = content.get("network_weights") if isinstance(content, dict) else None
    arguments = content.get("init_args") if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not isinstance(arguments, dict):
        raise ModelError(
            f"{path} is not an nnU-Net checkpoint: expected network_weights and init_args in it; "
            "give the folder of a semantic model"
        )
    told = {AXES: _plain(content.get(AXES))}
    if "configuration" in arguments:
        told["configuration"] = _plain(arguments["configuration"])
    check_content(told, "fold", str(path))
    return told, tensors(weights, path, "module.")


def _plain(value: Any) -> Any:
    """Return a pickled value as JSON types, or as a short text if it may be endless (more than three
    items).
    """
    items = list(value) if isinstance(value, list | tuple) else [value]
    if len(items) > 3 or not all(isinstance(item, int | str | None) for item in items):
        return short(value)
    return items if isinstance(value, list | tuple) else value
