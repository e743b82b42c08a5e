"""Check one model folder for its kind, in the same way in the main process and in every job."""

from __future__ import annotations

from pathlib import Path

from wirbel.core.inference_config import InferenceConfig
from wirbel.models.folders.inference_config import FILE_NAME, read_inference_config
from wirbel.models.folders.instance import check_instance
from wirbel.models.folders.labelling import check_labelling
from wirbel.models.folders.schema import refusal
from wirbel.models.folders.semantic import check_semantic
from wirbel.models.folders.translator import check_translator

TYPES = {
    "semantic": "nnunet",
    "instance": "unet",
    "labelling": "classifier",
    "translator": "translator",
}
"""Kind of model -> `modeltype` in its settings."""
CHECKS = {
    "semantic": check_semantic,
    "instance": check_instance,
    "labelling": check_labelling,
    "translator": check_translator,
}


def checked_folder(folder: Path, kind: str) -> InferenceConfig:
    """Return the settings of a usable model folder.

    Settings are read completely, weights only by their headers, which takes milliseconds and no
    torch.

    Raises
    ------
    ModelError
        One sentence, if the folder is not a usable model of this kind.
    """
    config = read_kind(folder, kind)
    CHECKS[kind](folder, config)
    return config


def read_kind(folder: Path, kind: str) -> InferenceConfig:
    """Return a folder's settings; raise ModelError if they belong to another kind of model."""
    config = read_inference_config(folder)
    if config.modeltype != TYPES[kind]:
        article = "an" if kind == "instance" else "a"
        sentence = (
            f"expected {TYPES[kind]!r} of {article} {kind} model, found {config.modeltype!r}; "
            f"give the folder of {article} {kind} model"
        )
        raise refusal(str(folder / FILE_NAME), ["modeltype"], sentence)
    return config
