"""The steps of `own_code.py`: what the stages do around the networks, with true maps for the networks' answers.

Each takes (results of the steps before, a folder for files) and returns its result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.core.geometry import Volume, on_spacing, reorient, resample_labels, upright
from wirbel.core.instances.consolidation import Predictions
from wirbel.core.instances.cutouts import body_centres, cut_out
from wirbel.core.merging import both_maps as merging
from wirbel.core.preparation.image import prepare_image
from wirbel.core.semantic.cleaning import clean_semantic
from wirbel.core.spineps import preparation, semantic_cleaning
from wirbel.core.spineps.grids import resample
from wirbel.core.spineps.inference_settings import InstanceSettings, NumberSettings
from wirbel.core.spineps.merging import both_maps as spineps_merging
from wirbel.core.spineps.merging import naming
from wirbel.io.final_maps import write_final_maps
from wirbel.io.sidecars import read_arrays, write_arrays
from wirbel.io.volumes import QUICKEST, read_grid, read_header, read_volume, write_volume
from wirbel.models.inference_config import InferenceConfig, read_inference_config
from wirbel.models.spineps_settings import instance_settings, number_settings
from wirbel.stages.features import NO_LEVELS, measured_rows

Known = dict[str, Any]
EMBEDDED = Path(__file__).resolve().parents[2] / "models" / "builtin"
PUBLISHED_MM = (0.75, 0.75, 1.65)
PUBLISHED_CUTOUT = (248, 304, 64)
LAST_VERTEBRA = 28
UNTIMED = ("answers", "predicted")
"""What stands for the networks."""


def of(method: str) -> dict[str, Callable[[Known, Path], Any]]:
    """Return the steps in their order."""
    published = method == "published"
    return {
        "read": lambda known, folder: read_volume(known["scan"]),
        "resample": _prepare_published if published else _prepare_own,
        "keep image": _keep_image,
        "answers": _answers,
        "clean": _clean_published if published else _clean_own,
        "cut out": _cut_out_published if published else _cut_out_own,
        "predicted": _predicted,
        "keep votes": _keep_predictions,
        "merge": _merge_published if published else _merge_own,
        "write maps": _write_maps,
        "features": _features,
    }


def _config(kind: str) -> InferenceConfig:
    return read_inference_config(EMBEDDED / kind)


def _settings() -> tuple[InstanceSettings, NumberSettings]:
    """Return the embedded networks' settings with the published voxel and cut-out size."""
    instance = replace(
        instance_settings(_config("instance")),
        spacing_for=lambda scan_mm: PUBLISHED_MM,
        resolution=PUBLISHED_MM,
        cutout_size=PUBLISHED_CUTOUT,
    )
    return instance, number_settings(_config("semantic"))


def _prepare_published(known: Known, folder: Path):
    axes = _config("semantic").model_expected_orientation
    name = known["scan"].name
    return preparation.prepare_image(known["read"], name, lambda scan_mm: PUBLISHED_MM, axes)


def _prepare_own(known: Known, folder: Path):
    config = _config("semantic")
    axes = config.model_expected_orientation
    return prepare_image(known["read"], known["scan"].name, config.spacing_for, axes)


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


def _clean_published(known: Known, folder: Path) -> Volume:
    return semantic_cleaning.clean_semantic(known["answers"][0])


def _clean_own(known: Known, folder: Path) -> Volume:
    labels = known["answers"][0]
    return labels.with_data(clean_semantic(upright(labels)).data)


def _cut_out_published(known: Known, folder: Path):
    settings = _settings()[0]
    grid = spineps_merging.instance_grid(known["clean"], settings)
    return *spineps_merging.cut_outs(grid, settings), grid


def _cut_out_own(known: Known, folder: Path):
    config, labels = _config("instance"), known["clean"]
    labels = on_spacing(labels, config.spacing_for(tuple(labels.spacing_mm)))
    flat = upright(labels)
    index = flat.grid.to_index(body_centres(flat))
    blocks, origins = zip(
        *(cut_out(labels.data, at, config.cutout_size) for at in index), strict=True
    )
    return np.stack(blocks), np.stack(origins), labels.grid.to_world(index), labels


def _predicted(known: Known, folder: Path) -> Predictions:
    """Return the true vertebrae above, in and below the centre of every cut-out."""
    blocks, origins, centre_mm, grid = known["cut out"]
    truth = resample(reorient(known["answers"][1]), grid.grid, order=0).data
    truth = np.where(truth <= LAST_VERTEBRA, truth, 0).astype(np.int16)
    labels = np.zeros(blocks.shape, np.uint8)
    for block, origin, out in zip(blocks, origins, labels, strict=True):
        vertebrae, _ = cut_out(truth, origin + np.array(block.shape) // 2, block.shape)
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


def _merge_published(known: Known, folder: Path):
    scan = read_grid(known["scan"])
    return naming.merge(known["clean"], known["keep votes"], scan, *_settings())


def _merge_own(known: Known, folder: Path):
    return merging.merge(known["cut out"][3], known["keep votes"], read_grid(known["scan"]))


def _write_maps(known: Known, folder: Path) -> list[Path]:
    found = known["merge"]
    maps = found.subregion, found.vertebra
    return write_final_maps(folder / "scan", *maps, found.levels, {}, read_header(known["scan"]))


def _features(known: Known, folder: Path):
    found = known["merge"]
    return measured_rows(known["read"], found.subregion, found.vertebra, NO_LEVELS)
