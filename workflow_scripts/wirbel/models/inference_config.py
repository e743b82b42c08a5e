"""`inference_config.json`: what a trained network expects and what its answers mean.

Field names are those of the published SPINEPS models, so that their folders can be read. Fields
that this software adds have defaults, so a published file without them is complete. A field that
nobody knows is an error: it might change the result.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wirbel.core.labels import (
    ARCUS,
    BODY,
    BODY_BORDER,
    SUBREGION_NAMES,
    VERTEBRA_SUBREGIONS,
)

FILE_NAME = "inference_config.json"

PUBLISHED_CHANNELS = {
    label: 9 if label in (BODY_BORDER, BODY) else label - ARCUS + 1 for label in VERTEBRA_SUBREGIONS
}
"""Subregion label -> one-hot channel of the published instance networks; channel 0 is the rest."""

SUBREGION_NUMBERS = {name: label for label, name in SUBREGION_NAMES.items()}


@dataclass(frozen=True)
class InferenceConfig:
    """The settings of one model folder; see `docs` of the published tool for the original fields."""

    log_name: str
    modality: tuple[str, ...]
    acquisition: str
    modeltype: str
    model_expected_orientation: tuple[str, str, str]
    available_folds: int | tuple[int | str, ...]
    inference_augmentation: bool
    resolution_range: tuple
    default_step_size: float
    labels: dict[int, int]
    expected_inputs: tuple[str, ...] = ("img",)
    has_c1: bool = False
    needs_corp: bool = False
    sacrum_ids: tuple[int, ...] = (26,)
    metal: tuple[int, ...] = ()
    cutout_size: tuple[int, int, int] = (248, 304, 64)
    corpus_size_cleaning: float = 100
    corpus_border_threshold: float = 10
    vert_size_threshold: float = 250
    mapping: dict[int, int] = field(default_factory=lambda: dict(PUBLISHED_CHANNELS))
    network: dict[str, Any] | None = None

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size of the model grid along the expected axes; the finest of a range."""
        resolution = self.resolution_range
        return tuple(resolution[0]) if len(resolution) == 2 else tuple(resolution)


def read_inference_config(folder: Path) -> InferenceConfig:
    """Read the file of a model folder; raises ValueError naming the file and the field that is wrong."""
    path = folder / FILE_NAME
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{folder} is no model folder: it has no {FILE_NAME}") from None
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    return parse_inference_config(raw, str(path))


def parse_inference_config(raw: Any, source: str) -> InferenceConfig:
    """Turn the decoded JSON into settings; `source` names the file in errors."""
    known = InferenceConfig.__dataclass_fields__
    if not isinstance(raw, dict):
        raise ValueError(f"{source}: expected an object with fields, found {type(raw).__name__}")
    values = {}
    for name, value in raw.items():
        if name not in known:
            raise ValueError(f"{source}: unknown field {name!r}; known are {', '.join(known)}")
        try:
            values[name] = _convert(name, value)
            _check(name, values[name])
        except (TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{source}: field {name!r}: {error}") from error
    try:
        return InferenceConfig(**values)
    except TypeError as error:
        raise ValueError(f"{source}: {error}") from error


def _convert(name: str, value: Any) -> Any:
    if name == "labels":
        return {int(index): _label_number(label) for index, label in value.items()}
    if name == "mapping":
        return {int(label): int(channel) for label, channel in value.items()}
    if name == "modality" and isinstance(value, str):
        return (value,)
    if name == "resolution_range" and len(value) == 2:
        return tuple(tuple(entry) for entry in value)
    return tuple(value) if isinstance(value, list) else value


def _check(name: str, value: Any) -> None:
    """Raise ValueError when a value that inference relies on cannot be right."""
    if name == "model_expected_orientation":
        pairs = {"".join(sorted(pair)) for pair in ("RL", "AP", "SI")}
        found = {pair for letter in value for pair in pairs if letter in pair}
        if len(value) != 3 or found != pairs:
            raise ValueError(f"expected three directions such as P, I, R, found {list(value)}")
    elif name == "resolution_range":
        for spacing in value if len(value) == 2 else [value]:
            _check_lengths(spacing, (int, float))
    elif name == "cutout_size":
        _check_lengths(value, int)
    elif name in ("labels", "mapping"):
        wrong = [n for pair in value.items() for n in pair if not 0 <= n <= 255]
        if wrong:
            raise ValueError(f"expected numbers from 0 to 255, found {wrong[0]}")


def _check_lengths(values: Any, kind: Any) -> None:
    if len(values) != 3 or not all(isinstance(n, kind) and n > 0 for n in values):
        raise ValueError(f"expected three lengths above zero, found {values}")


def _label_number(label: int | str) -> int:
    """Accept a number, a number as text, or one of our structure names."""
    if isinstance(label, str) and label in SUBREGION_NUMBERS:
        return SUBREGION_NUMBERS[label]
    try:
        return int(label)
    except ValueError:
        raise ValueError(f"label {label!r} is neither a number nor a known structure") from None
