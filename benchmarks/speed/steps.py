"""The steps of `own_code.py`: what the stages do around the networks, with true maps for the networks' answers.

Each takes (results of the steps before, a folder for files) and returns its result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.core.geometry import Volume, reorient
from wirbel.core.inference_config import InferenceConfig
from wirbel.core.instances.cutouts import cut_out as block_around
from wirbel.core.instances.network_results import Found
from wirbel.core.instances.predicted_vertebrae import Predictions
from wirbel.core.method.clean import clean
from wirbel.core.method.cut_out import cut_out, instance_map
from wirbel.core.method.merge import merge
from wirbel.core.method.names import OWN
from wirbel.core.method.prepare import prepare
from wirbel.core.resampling import resample_labels
from wirbel.core.spineps.grids import resample
from wirbel.io.maps.final_maps import write_final_maps
from wirbel.io.nifti.volumes import QUICKEST, read_grid, read_header, read_volume, write_volume
from wirbel.io.sidecars import read_arrays, write_arrays
from wirbel.models.folders.inference_config import read_inference_config
from wirbel.stages.features import NO_LEVELS, measured_rows

Known = dict[str, Any]
EMBEDDED = Path(__file__).resolve().parents[2] / "models" / "builtin"
PUBLISHED_MM = (0.75, 0.75, 1.65)
PUBLISHED_CUTOUT = (248, 304, 64)
LAST_VERTEBRA = 28
UNTIMED = ("answers", "predicted")
"""What stands for the networks."""


def of(method: str) -> dict[str, Callable[[Known, Path], Any]]:
    """Return the steps in their order; `method` is "none" or "published"."""
    semantic, instance = _configs(method)

    def prepared(known: Known, folder: Path):
        axes, name = semantic.model_expected_orientation, known["scan"].name
        return prepare(method, known["read"], name, semantic.spacing_for, axes, True, True)

    def merged(known: Known, folder: Path):
        spacing_mm, grid = known["cut out"].spacing_mm.tolist(), read_grid(known["scan"])
        found = Found(known["clean"], known["keep votes"], spacing_mm, grid)
        return merge(method, found, semantic, instance)

    return {
        "read": lambda known, folder: read_volume(known["scan"]),
        "resample": prepared,
        "keep image": _keep_image,
        "answers": _answers,
        "clean": lambda known, folder: clean(method, known["answers"][0]),
        "cut out": lambda known, folder: cut_out(method, known["clean"], instance),
        "predicted": lambda known, folder: _predicted(
            known, instance_map(method, known["clean"], instance)
        ),
        "keep votes": _keep_predictions,
        "merge": merged,
        "write maps": _write_maps,
        "features": _features,
    }


def _configs(method: str) -> tuple[InferenceConfig, InferenceConfig]:
    """Return the embedded networks' settings, of the published voxel and cut-out size where that is asked for."""
    semantic, instance = (
        read_inference_config(EMBEDDED / kind) for kind in ("semantic", "instance")
    )
    if method == OWN:
        return semantic, instance
    return replace(semantic, resolution_range=PUBLISHED_MM), replace(
        instance, resolution_range=PUBLISHED_MM, cutout_size=PUBLISHED_CUTOUT
    )


def _keep_image(known: Known, folder: Path) -> Volume:
    write_volume(folder / "image.nii.gz", known["resample"].image, level=QUICKEST)
    return read_volume(folder / "image.nii.gz")


def _answers(known: Known, folder: Path) -> list[Volume]:
    """Return the true maps on the model grid."""
    maps = [read_volume(path) for path in known["truth"]]
    grid = known["resample"].image.grid
    if known["resample"].steps.get("Preparation"):
        maps = [resample(reorient(m, grid.axes), grid, order=0) for m in maps]
    else:
        maps = [resample_labels(reorient(m, grid.axes), grid) for m in maps]
    return [m.with_data(m.data.astype(np.uint8)) for m in maps]


def _predicted(known: Known, grid: Volume) -> Predictions:
    """Return the true vertebrae above, in and below the centre of every cut-out; `grid` is what they were cut from."""
    found = known["cut out"]
    blocks, origins, centre_mm = found.labels, found.origin, found.centre_mm
    truth = resample(reorient(known["answers"][1]), grid.grid, order=0).data
    truth = np.where(truth <= LAST_VERTEBRA, truth, 0).astype(np.int16)
    labels = np.zeros(blocks.shape, np.uint8)
    for block, origin, out in zip(blocks, origins, labels, strict=True):
        vertebrae, _ = block_around(truth, origin + np.array(block.shape) // 2, block.shape)
        middle = vertebrae[tuple(n // 2 for n in block.shape)]
        role = vertebrae - middle + 2
        out[:] = np.where((vertebrae > 0) & (middle > 0) & (role >= 1) & (role <= 3), role, 0)
    return Predictions(labels, origins, centre_mm)


def _keep_predictions(known: Known, folder: Path) -> Predictions:
    given = known["predicted"]
    parts = {"labels": given.labels, "origin": given.origin, "centre_mm": given.centre_mm}
    write_arrays(folder / "predictions.npz", **parts)
    write_volume(folder / "subregion.nii.gz", known["clean"])
    found = read_arrays(folder / "predictions.npz")
    read_volume(folder / "subregion.nii.gz")
    return Predictions(found["labels"], found["origin"], found["centre_mm"])


def _write_maps(known: Known, folder: Path) -> list[Path]:
    return write_final_maps(folder / "scan", known["merge"], {}, read_header(known["scan"]))


def _features(known: Known, folder: Path):
    found = known["merge"]
    return measured_rows(known["read"], found.subregion, found.vertebra, NO_LEVELS)
