"""The smallest training scans: three cubes with discs between them on a noisy picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from support.models import tiny_models
from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.io.nifti.volumes import write_volume


def cubes(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, subregion and vertebra map of three cubes with discs between, axes (P, I, R)."""
    random = np.random.default_rng(seed)
    subregion, vertebra = np.zeros((36, 44, 6), np.uint8), np.zeros((36, 44, 6), np.uint8)
    for number, name in enumerate((20, 21, 22)):
        start = 4 + 13 * number
        subregion[10:22, start : start + 10, 1:5] = L.BODY_BORDER
        vertebra[10:22, start : start + 10, 1:5] = name
        subregion[10:22, start + 10 : start + 13, 1:5] = L.DISC
        vertebra[10:22, start + 10 : start + 13, 1:5] = L.DISC_OFFSET + name
    image = 100.0 * (subregion == L.DISC) + 200 * (subregion == L.BODY_BORDER)
    return image + random.normal(100, 20, image.shape), subregion, vertebra


def real_scans(folder: Path, names=("01", "02", "03")) -> dict:
    """Write a BIDS folder of cubes whose label maps know only vertebrae (1), discs (2) and what is unclear (3)."""
    for number, name in enumerate(names):
        image, subregion, _ = cubes(20 + number)
        labels = 1 * (subregion == L.BODY_BORDER) + 2 * (subregion == L.DISC)
        labels[:, :8] = 3
        anat = folder / "bids" / f"sub-{name}" / "anat"
        anat.mkdir(parents=True)
        write_volume(anat / f"sub-{name}_T2w.nii.gz", on_model_grid(image.astype(np.int16)))
        (folder / "labels").mkdir(exist_ok=True)
        path = folder / "labels" / f"sub-{name}_dseg.nii.gz"
        write_volume(path, on_model_grid(labels.astype(np.uint8)))
    scheme = folder / "cubes.yaml"
    scheme.write_text(
        "numbers: {1: whole_vertebra, 2: intervertebral_disc, 3: ignore}\n"
        "unlabelled: [background, endplate]\n"
    )
    paths = {"images": folder / "bids", "labels": folder / "labels", "scheme": scheme}
    return {"name": "cubes", "share": 0.5, **{key: str(path) for key, path in paths.items()}}


def on_model_grid(data: np.ndarray) -> Volume:
    """A volume on the model grid: axes P, I, R."""
    affine = np.zeros((4, 4))
    affine[1, 0], affine[2, 1], affine[0, 2], affine[3, 3] = -1, -1, 1, 1
    affine[:3, :3] *= np.array(tiny_models.SPACING_MM)
    return Volume(data, affine)
