"""Check a labelling model folder in the published format: one Lightning checkpoint anywhere below it."""

from __future__ import annotations

from pathlib import Path

from wirbel.core.inference_config import InferenceConfig
from wirbel.models.errors import ModelError
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.folders.schema import refusal
from wirbel.models.folders.weights import check_archive

PATTERN = "*val_f1=*valf1-weights.ckpt"


def check_labelling(folder: Path, config: InferenceConfig) -> None:
    """Raise ModelError if a folder cannot be used; the checkpoint itself is opened in the job."""
    if len(config.expected_inputs) != 1:
        sentence = f"a labelling network has one input, found {', '.join(config.expected_inputs)}"
        raise refusal(str(folder / FILE_NAME), ["expected_inputs"], sentence)
    check_archive(find_checkpoint(folder))


def find_checkpoint(folder: Path) -> Path:
    """Return the checkpoint of a model folder: the last one by path, as SPINEPS chooses."""
    found = sorted(folder.rglob(PATTERN))
    if not found:
        raise ModelError(
            f"{folder} is not a labelling model folder: there is no {PATTERN} in it; "
            "give the folder of a labelling model"
        )
    return found[-1]
