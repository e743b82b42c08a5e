"""Read `inference_config.json`: what a trained network expects and what its output means.

Field names are those of the published SPINEPS models, so that their folders can be read. Fields
added by Wirbel have defaults, so a published file is complete without them. An unknown field is an
error, because it might change the result. `config/schemas/model_folder.schema.json` says what each
field may contain.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from wirbel.core.inference_config import InferenceConfig
from wirbel.core.labels import (
    DENS,
    LEVEL_LABELS,
    LOWER_ENDPLATE,
    METAL,
    SUBREGION_NAMES,
    UPPER_ENDPLATE,
)
from wirbel.models.errors import ModelError
from wirbel.models.folders.json_files import read_json
from wirbel.models.folders.schema import (
    MOST_VOXELS,
    SMALLEST_VOXEL_MM3,
    check_content,
    refusal,
)
from wirbel.models.folders.wording import short

FILE_NAME = "inference_config.json"
LARGEST_LABEL = 255
_PAIRS = {"R": "RL", "L": "RL", "A": "AP", "P": "AP", "S": "SI", "I": "SI"}

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
"""Names that published files may use instead of numbers."""
STRUCTURE_NUMBERS = {**PUBLISHED_NAMES, **{name: label for label, name in SUBREGION_NAMES.items()}}


def read_inference_config(folder: Path) -> InferenceConfig:
    """Read the settings of a model folder.

    Raises
    ------
    ModelError
        Names the file and the wrong field.
    """
    path = folder / FILE_NAME
    if not path.exists():
        raise ModelError(
            f"{folder} is not a model folder: it has no {FILE_NAME}; give the folder that has it"
        )
    return parse_inference_config(read_json(path), str(path))


def parse_inference_config(raw: Any, source: str) -> InferenceConfig:
    """Turn decoded JSON into settings; `source` names the file in errors."""
    check_content(raw, "inference_config", source)
    values = {}
    for name, value in raw.items():
        try:
            values[name] = _convert(name, value)
        except ValueError as error:
            raise refusal(source, [name], str(error)) from None
    return InferenceConfig(**values)


def _convert(name: str, value: Any) -> Any:
    """Return the value of a field as the settings store it; raise ValueError if it contradicts itself."""
    if name == "labels":
        return {int(index): _label_number(label) for index, label in value.items()}
    if name == "mapping":
        return {int(label): channel for label, channel in value.items()}
    if name in ("sacrum_ids", "metal") and isinstance(value, int):
        return (value,)
    if name in ("modality", "available_folds") and isinstance(value, str):
        return (value,)
    if name == "model_expected_orientation":
        return _three_directions(value)
    if name == "resolution_range":
        return _voxel_sizes(value)
    if name == "cutout_size" and math.prod(value) > MOST_VOXELS:
        raise ValueError(f"expected at most {MOST_VOXELS} voxels, found {short(value)}")
    return tuple(value) if isinstance(value, list) else value


def _three_directions(letters: str | list[str]) -> tuple[str, ...]:
    if {_PAIRS[letter] for letter in letters} != set(_PAIRS.values()):
        raise ValueError(f"expected three directions such as P, I, R, found {list(letters)}")
    return tuple(letters)


def _voxel_sizes(value: list) -> tuple:
    """Return three lengths, or the smallest and largest of each."""
    if len(value) == 3:
        low, high = value, value
    else:
        low, high = value
        if any(least > most for least, most in zip(low, high, strict=True)):
            raise ValueError(f"expected the lower limits first, found {value}")
    if math.prod(low) < SMALLEST_VOXEL_MM3:
        raise ValueError(f"expected voxels of at least {SMALLEST_VOXEL_MM3} mm3, found {list(low)}")
    return tuple(value) if len(value) == 3 else (tuple(low), tuple(high))


def _label_number(label: int | str) -> int:
    """Accept a number, a number as text, or a known structure name."""
    if isinstance(label, int):
        return label
    if label in STRUCTURE_NUMBERS:
        return STRUCTURE_NUMBERS[label]
    if not (label.isascii() and label.isdecimal() and int(label) <= LARGEST_LABEL):
        raise ValueError(
            f"label {short(label)} is neither a number from 0 to {LARGEST_LABEL} nor a known structure"
        )
    return int(label)
