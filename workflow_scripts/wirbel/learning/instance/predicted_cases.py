"""What a trained semantic network makes of the simulated training scans: errors that the instance network will meet.

Maps are stored beside the cases, in predicted/<first digits of the network's SHA-256>/<case>.npz, so that another
network gets maps of its own, and an interrupted run continues.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from wirbel.core.method.clean import clean
from wirbel.core.method.names import OWN
from wirbel.io.atomic import atomic_path
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.learning.training.training_cases import TrainingFolder, on_model_grid, read_image
from wirbel.models.folders.semantic import fold_files, results_folder

DIGITS = 16


def predict_cases(
    folder: TrainingFolder,
    semantic: Path,
    spacing_mm: tuple[float, float, float],
    device: str = "auto",
    threads: int = 0,
) -> Path:
    """Segment and clean the image of every case that has no map yet; return the folder of the maps.

    Parameters
    ----------
    folder : TrainingFolder
        The training cases.
    semantic : Path
        A semantic model folder.
    spacing_mm : tuple of three float
        Nominal voxel size of the cases along (P, I, R); cleaning has limits in mm.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Threads on a CPU; 0 uses all available cores.
    """
    target = folder.root / "predicted" / _digest(semantic)
    todo = [name for name in folder.case_names() if not (target / f"{name}.npz").exists()]
    if not todo:
        return target
    model = SemanticModel(semantic, device, threads)
    for number, name in enumerate(todo, start=1):
        image = read_image(folder, name)
        found = model.segment(model.normalise(image, spacing_mm), image.shape)
        labels = clean(OWN, on_model_grid(found, spacing_mm)).data
        with atomic_path(target / f"{name}.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, subregion=labels.astype(np.uint8))
        print(f"predicted: {name} ({number} of {len(todo)})", flush=True)
    return target


def read_predicted(target: Path, name: str) -> np.ndarray:
    """Return the predicted subregion map of a case: uint8, axes (P, I, R)."""
    with np.load(target / f"{name}.npz") as stored:
        return stored["subregion"]


def _digest(semantic: Path) -> str:
    found = hashlib.sha256()
    for path in fold_files(results_folder(semantic), [0]):
        found.update(path.read_bytes())
    return found.hexdigest()[:DIGITS]
