"""Everything after the semantic network, in both tools, on the same faulty maps; a case of `make parity`.

True label maps of phantoms get mistakes of the semantic phase (bodies grown together, discs and processes missing,
wrong blobs); both tools take them for what their network answered, clean them, cut out, merge and number. The
instance network is replaced as well (`stand_in.py`), so that nothing is left to rounding: the masks must be
equal voxel by voxel.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import torch

from parity import scores as parity_scores
from parity.runs import run_spineps
from parity.scans import scans_in
from parity.stand_in import by_distance
from wirbel.core.geometry import Volume, reorient
from wirbel.core.inference_config import InferenceConfig
from wirbel.core.instances.network_results import Found
from wirbel.core.instances.predicted_vertebrae import Predictions
from wirbel.core.resampling import resample_labels
from wirbel.core.spineps.grids import zooms
from wirbel.core.spineps.merging import both_maps as merging
from wirbel.core.spineps.preparation import prepared_grid
from wirbel.core.spineps.semantic_cleaning import clean_semantic
from wirbel.errors import ScanError
from wirbel.io.nifti.volumes import read_grid, read_volume, write_volume
from wirbel.learning.instance.instance_network import one_hot
from wirbel.learning.instance.segmentation_errors import add_errors, merge_neighbouring_bodies
from wirbel.models.folders.inference_config import read_inference_config

VARIANTS = 6
"""Faulty maps of each scan, the later ones with more mistakes."""
KINDS = ("subregion", "vertebra")


def compare(args, name: str, folder: Path, models, n4: int) -> tuple[dict, list[tuple]]:
    """Run both tools' steps on faulty maps of a folder's scans; return the comparisons, without times."""
    del n4  # no image is looked at
    out = args.work / name
    semantic, instance = (read_inference_config(models[kind][1]) for kind in models)
    scans, faulty = {}, {}
    for scan, path in scans_in(folder).items():
        for variant in range(VARIANTS):
            scans[f"{scan}-{variant}"] = path
            faulty[f"{scan}-{variant}"] = _faulty_map(folder, scan, path, semantic, variant)
    answers = _as_classes(faulty, semantic, out / "maps")
    theirs, _ = run_spineps(args, models, scans, 0, out / "spineps", answers)
    ours = {
        scan: _run_wirbel(faulty[scan], path, semantic, instance, out / "wirbel" / scan)
        for scan, path in scans.items()
    }
    found = parity_scores.compare(scans, theirs, ours, True, {})
    print(f"\n{name}, Wirbel with compatibility: spineps")
    parity_scores.show(found)
    return {"spineps": found}, []


def _faulty_map(
    folder: Path, scan: str, path: Path, config: InferenceConfig, variant: int
) -> Volume:
    """Return a scan's true subregions on the model's grid with mistakes."""
    truth = folder / "derivatives" / "truth" / scan / "anat"
    maps = [read_volume(truth / f"{scan}_desc-{kind}_dseg.nii.gz") for kind in KINDS]
    spacing_mm = config.spacing_for(tuple(zooms(reorient(maps[0]).affine)))
    grid = prepared_grid(read_grid(path), ("P", "I", "R"), spacing_mm)
    labels, vertebrae = (resample_labels(volume, grid).data.astype(np.uint8) for volume in maps)
    random = np.random.default_rng([variant, len(scan)])
    for _ in range(1 + variant // 2):
        labels = add_errors(labels, vertebrae, random)
    if variant % 2:
        merge_neighbouring_bodies(labels, vertebrae, random)
    return Volume(labels, grid.affine)


def _as_classes(faulty: dict[str, Volume], config: InferenceConfig, folder: Path) -> dict[str, str]:
    """Write the maps as a network answers, in its class numbers; return the files by scan."""
    folder.mkdir(parents=True, exist_ok=True)
    table = np.zeros(256, np.uint8)
    table[list(config.labels.values())] = list(config.labels)
    for scan, labels in faulty.items():
        nib.save(nib.Nifti1Image(table[labels.data], labels.affine), folder / f"{scan}.nii.gz")
    return {scan: str((folder / f"{scan}.nii.gz").resolve()) for scan in faulty}


def _run_wirbel(
    labels: Volume, path: Path, semantic: InferenceConfig, instance: InferenceConfig, stem: Path
) -> dict[str, Path]:
    """Clean, cut out, merge and number a map; return the files of both masks, or none where there is no spine."""
    channels = max(instance.mapping.values()) + 1
    cleaned = clean_semantic(labels)
    try:
        blocks, origins, centre_mm = merging.cut_outs(
            merging.instance_grid(cleaned, instance), instance
        )
        answers = [
            by_distance(one_hot(torch.from_numpy(block[None]), instance.mapping, channels))
            for block in blocks
        ]
        roles = np.concatenate([answer.argmax(1).numpy().astype(np.uint8) for answer in answers])
        predictions = Predictions(roles, origins, centre_mm)
        found = Found(cleaned, predictions, zooms(cleaned.affine), read_grid(path))
        merged = merging.merge(found, semantic, instance)
    except ScanError:
        return {}
    files = {kind: stem.with_name(f"{stem.name}_{kind}.nii.gz") for kind in KINDS}
    for kind, file in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_volume(file, getattr(merged, kind), "uint8")
    return files
