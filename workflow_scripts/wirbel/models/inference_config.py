"""`inference_config.json`: what a trained network expects and what its answers mean.

Field names are those of the published SPINEPS models, so that their folders can be read. Fields
that this software adds have defaults, so a published file without them is complete. A field that
nobody knows is an error: it might change the result.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wirbel.core.geometry import spacing_within
from wirbel.core.labels import (
    ARCUS,
    BODY,
    BODY_BORDER,
    DENS,
    LEVEL_LABELS,
    LOWER_ENDPLATE,
    SACRUM,
    SUBREGION_NAMES,
    UPPER_ENDPLATE,
    VERTEBRA_SUBREGIONS,
)

FILE_NAME = "inference_config.json"
METAL = 80
"""Number of a structure that only models of other modalities know."""

PUBLISHED_CHANNELS = {
    label: 9 if label in (BODY_BORDER, BODY) else label - ARCUS + 1 for label in VERTEBRA_SUBREGIONS
} | {DENS: 9, SACRUM: 0}
"""Subregion label -> one-hot channel of the published instance networks; channel 0 is the rest."""

PUBLISHED_NAMES = {
    **LEVEL_LABELS,
    **{"S2": 29, "S3": 30, "S4": 31, "S5": 32, "S6": 33, "Cocc": 27},
    "Unknown": 0,
    "Vertebra_Full": 40,
    "Arcus_Vertebrae": 41,
    "Spinosus_Process": 42,
    "Costal_Process_Left": 43,
    "Costal_Process_Right": 44,
    "Superior_Articular_Left": 45,
    "Superior_Articular_Right": 46,
    "Inferior_Articular_Left": 47,
    "Inferior_Articular_Right": 48,
    "Vertebra_Corpus_border": 49,
    "Vertebra_Corpus": 50,
    "Dens_axis": DENS,
    "Vertebral_Body_Endplate_Superior": UPPER_ENDPLATE,
    "Vertebral_Body_Endplate_Inferior": LOWER_ENDPLATE,
    "Vertebra_Disc_Superior": 58,
    "Vertebra_Disc_Inferior": 59,
    "Spinal_Cord": 60,
    "Spinal_Canal": 61,
    "Endplate": 62,
    "Rib_Left": 63,
    "Rib_Right": 64,
    "Sacrum_Sacral_Ala_Left": 70,
    "Sacrum_Sacral_Ala_Right": 71,
    "Sacrum_Posterior_Sacral_Elements": 72,
    "Sacrum_Body": 73,
    "Sacrum_Endplate": 74,
    "Metal": METAL,
    "Vertebra_Disc": 100,
}
"""Names that published files may use in place of numbers."""
STRUCTURE_NUMBERS = {**PUBLISHED_NAMES, **{name: label for label, name in SUBREGION_NAMES.items()}}

CHOICES = {
    "modality": ("T2w", "T1w", "Vibe", "CT", "SEG", "MPR", "PD", "FLAIR"),
    "acquisition": ("sag", "cor", "ax", "iso"),
    "modeltype": ("nnunet", "unet", "classifier"),
    "expected_inputs": ("img", "seg", "ip", "oop", "water", "fat"),
    "compatibility": ("none", "published", "spineps"),
}
"""What the published tool accepts in these fields; the last is Wirbel's, see `models/compatibility.py`."""


NUMBER = (int, float)
FORMS = {
    "inference_augmentation": (bool, "true or false"),
    "has_c1": (bool, "true or false"),
    "needs_corp": (bool, "true or false"),
    "resamples_to_plans": (bool, "true or false"),
    "default_step_size": (NUMBER, "a number"),
    "corpus_size_cleaning": (NUMBER, "a number"),
    "corpus_border_threshold": (NUMBER, "a number"),
    "vert_size_threshold": (NUMBER, "a number"),
    "available_folds": ((int, str, list), "a number of folds, or their names"),
    "modality": ((str, list), "a name or a list of names"),
    "expected_inputs": (list, "a list of names"),
    "model_expected_orientation": ((str, list), "three directions such as P, I, R"),
    "resolution_range": (list, "three lengths, or two times three"),
    "cutout_size": (list, "three lengths above zero"),
    "sacrum_ids": ((int, list), "a number or a list of numbers"),
    "metal": ((int, list), "a number or a list of numbers"),
    "labels": (dict, "an object with a label for each class"),
    "mapping": (dict, "an object with a channel for each label"),
    "network": (dict, "an object with the network's settings"),
}
"""Field -> JSON types it may have, and how to say that."""


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
    metal: tuple[int, ...] = (METAL,)
    cutout_size: tuple[int, int, int] = (248, 304, 64)
    corpus_size_cleaning: float = 100
    corpus_border_threshold: float = 10
    vert_size_threshold: float = 250
    mapping: dict[int, int] = field(default_factory=lambda: dict(PUBLISHED_CHANNELS))
    network: dict[str, Any] | None = None
    compatibility: str | None = None
    resamples_to_plans: bool = True
    """Whether voxels of another size than that in plans.json are resampled for the network and its scores back, as
    nnU-Net does. False: the network was trained on all voxel sizes of the range and takes them as they are."""

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size of the model grid along the expected axes; the finest of a range."""
        resolution = self.resolution_range
        return tuple(resolution[0]) if len(resolution) == 2 else tuple(resolution)

    def spacing_for(self, scan_mm: Sequence[float]) -> tuple[float, float, float]:
        """Voxel size of the model grid for a scan of `scan_mm` along the expected axes.

        A range keeps a scan's own voxel size within its limits.
        """
        if len(self.resolution_range) == 3:
            return tuple(self.resolution_range)
        return spacing_within(scan_mm, self.resolution_range)


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
            _check_form(name, value)
            values[name] = _convert(name, value)
            _check(name, values[name])
        except (TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{source}: field {name!r}: {error}") from error
    try:
        return InferenceConfig(**values)
    except TypeError as error:
        raise ValueError(f"{source}: {error}") from error


def _check_form(name: str, value: Any) -> None:
    """Raise ValueError when a value is not of its field's JSON type."""
    types, expected = FORMS.get(name, (object, ""))
    truth_value = isinstance(value, bool) and types is not bool
    if not isinstance(value, types) or (truth_value and name in FORMS):
        raise ValueError(f"expected {expected}, found {value!r}")


def _convert(name: str, value: Any) -> Any:
    if name == "labels":
        return {int(index): _label_number(label) for index, label in value.items()}
    if name == "mapping":
        return {int(label): int(channel) for label, channel in value.items()}
    if name == "modality" and isinstance(value, str):
        return (value,)
    if name in ("sacrum_ids", "metal") and isinstance(value, int):
        return (value,)
    if name == "model_expected_orientation":
        return tuple(value)
    if name == "resolution_range" and len(value) == 2:
        return tuple(tuple(entry) for entry in value)
    if name == "available_folds" and isinstance(value, str):
        return (value,)
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
        if any(edge % 2 for edge in value):
            raise ValueError(f"expected even numbers of voxels, found {list(value)}")
    elif name in CHOICES:
        _check_choice(value, CHOICES[name])
    elif name == "available_folds" and not value:
        raise ValueError(f"expected at least one fold, found {value!r}")
    elif name == "needs_corp" and value:
        raise ValueError("expected false: cropping with another network first is not supported")
    elif name == "default_step_size" and not 0 < value <= 1:
        raise ValueError(f"expected a share of the patch from above 0 to 1, found {value}")
    elif name in ("labels", "mapping"):
        wrong = [n for pair in value.items() for n in pair if not 0 <= n <= 255]
        if wrong:
            raise ValueError(f"expected numbers from 0 to 255, found {wrong[0]}")


def _check_choice(value: Any, known: tuple[str, ...]) -> None:
    for entry in [value] if isinstance(value, str) else value:
        if entry not in known:
            raise ValueError(f"expected {', '.join(known)}, found {entry!r}")


def _check_lengths(values: Any, kind: Any) -> None:
    if len(values) != 3 or not all(isinstance(n, kind) and n > 0 for n in values):
        raise ValueError(f"expected three lengths above zero, found {values}")


def _label_number(label: int | str) -> int:
    """Accept a number, a number as text, or one of our structure names."""
    if isinstance(label, str) and label in STRUCTURE_NUMBERS:
        return STRUCTURE_NUMBERS[label]
    try:
        return int(label)
    except ValueError:
        raise ValueError(f"label {label!r} is neither a number nor a known structure") from None
