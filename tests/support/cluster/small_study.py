"""A data set of small scans and two small networks for it, so that every real stage takes a second for a scan.

    PYTHONPATH=tests:workflow_scripts python -m support.cluster.small_study FOLDER --scans 64

The scans are pieces of a few simulated ones, some vertebrae each, with coarse voxels. The networks are trained on other
pieces for about two minutes: what they say is poor, but they find vertebrae, and say the same every time. Four scans
have a fault: a file cut short, a blank image, a localiser, and noise without a spine. Made once per folder.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import yaml

from wirbel.core.geometry import Volume, reorient
from wirbel.core.preparation.image import prepare_image
from wirbel.io.nifti.volumes import write_volume
from wirbel.learning.exported.export import export_semantic
from wirbel.learning.semantic.nnunet_plans import build_network, read_plans
from wirbel.learning.semantic.semantic_plans import (
    CONFIGURATION,
    SemanticNetwork,
    dataset_json,
    plans_json,
)
from wirbel.learning.training.training_cases import (
    TrainingFolder,
    as_classes,
    write_case,
    write_descriptions,
)
from wirbel.learning.training.training_settings import training_settings
from wirbel.phantom import Phantom, make_phantom
from wirbel.stages import train_instance

STEPS = 200
PHANTOM_SEEDS = (1, 2, 3, 4)
VOXEL_MM = (1.5, 5.0)
"""In the slice, and between slices."""
MODEL_SPACING_MM = (3.0, 3.0, 6.0)
FAULTS = ("cut short", "blank", "localiser", "no spine")
HEIGHT_MM = (80.0, 120.0)
"""Of a scan: two or three lumbar vertebrae."""
NETWORK = {"features": [8, 16, 24], "in_plane_stages": 1, "thick_pooling_stages": [2]}
BUDGET = {"steps_per_epoch": 50, "learning_rate": 5e-3, "batch_size": 2}
SETTINGS = {
    "semantic_network": {
        "spacing_mm": list(MODEL_SPACING_MM),
        "patch_size": [48, 32, 8],
        "batch_size": 2,
        **NETWORK,
    },
    "instance_network": {
        "spacing_mm": list(MODEL_SPACING_MM),
        "cutout_size": [32, 32, 8],
        **NETWORK,
    },
    "instance": {"steps": 200, **BUDGET},
}


@dataclass(frozen=True)
class SmallStudy:
    """Where data set and networks lie."""

    folder: Path

    @property
    def scans(self) -> dict[str, Path]:
        """The BIDS folder, and another one with other scans of the same names."""
        return {which: self.folder / which for which in ("first", "second")}

    @property
    def models(self) -> dict[str, Path]:
        """A model folder for each kind of network."""
        return {kind: self.folder / "models" / kind for kind in ("semantic", "instance")}


def small_study(folder: Path, scans: int) -> SmallStudy:
    """Make what is missing of the study."""
    study = SmallStudy(folder.absolute())
    whole = study.folder / f"complete-{scans}"
    if not whole.exists():
        with ProcessPoolExecutor(2) as pool:
            phantoms = list(pool.map(_phantom, PHANTOM_SEEDS))
        _train(study, phantoms)
        for turn, bids in enumerate(study.scans.values()):
            for number in range(scans):
                _write_scan(bids, number, scans, turn, phantoms)
        whole.touch()
    return study


def _phantom(seed: int) -> Phantom:
    in_plane_mm, slice_mm = VOXEL_MM
    return make_phantom(
        seed,
        "lumbar",
        in_plane_mm=in_plane_mm,
        slice_mm=slice_mm,
        with_truth=False,
        model_grid_spacing_mm=MODEL_SPACING_MM,
    )


def _train(study: SmallStudy, phantoms: list[Phantom]) -> None:
    """Train both networks on the phantoms as they are, from top to bottom."""
    root = study.folder / "training"
    settings = training_settings(SETTINGS)
    folder, network = TrainingFolder(root), settings.semantic_network
    cases = []
    for number, phantom in enumerate(phantoms):
        name = f"case{number}"
        image = prepare_image(phantom.image, name, MODEL_SPACING_MM, correct_bias=False).image.data
        labels = phantom.model_subregion.data, phantom.model_vertebra.data
        write_case(folder, name, image, *labels, network)
        cases.append((image, as_classes(labels[0])))
    write_descriptions(folder, network, 1)
    checkpoint = root / "semantic.pth"
    torch.save(_fitted(network, cases), checkpoint)
    export_semantic(checkpoint, folder, network, study.models["semantic"])
    written = root / "train.yaml"
    written.write_text(yaml.safe_dump(SETTINGS))
    line = ["--settings", written, "--folder", root, "--export", study.models["instance"]]
    if train_instance.main([str(part) for part in (*line, "--device", "cpu", "--threads", "1")]):
        raise RuntimeError("the instance network could not be trained")


def _fitted(network: SemanticNetwork, cases: list[tuple[np.ndarray, np.ndarray]]) -> dict:
    """Return a checkpoint of a network fitted to whole images; nnU-Net's own training takes ten times longer."""
    torch.manual_seed(0)
    plans = read_plans(
        plans_json(network, list(network.patch_size)), dataset_json(1), CONFIGURATION
    )
    fitted = build_network(plans)
    optimizer = torch.optim.Adam(fitted.parameters(), 1e-2)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=STEPS)
    for step in range(STEPS):
        image, classes = cases[step % len(cases)]
        whole = tuple(slice(0, size // 4 * 4) for size in image.shape)
        image = torch.from_numpy((image - image.mean()) / image.std()).float()[whole]
        loss = torch.nn.functional.cross_entropy(
            fitted(image[None, None]), torch.from_numpy(classes).long()[whole][None]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 20 == 0:
            print(f"semantic: step {step}, loss {float(loss):.3f}", flush=True)
    return {
        "network_weights": fitted.state_dict(),
        "init_args": {"configuration": CONFIGURATION},
        "inference_allowed_mirroring_axes": None,
        "current_epoch": 0,
        "minutes": 0.0,
    }


def _write_scan(bids: Path, number: int, scans: int, turn: int, phantoms: list[Phantom]) -> None:
    """Write a scan, another piece at every turn; some have a fault, others at every turn."""
    name = f"sub-{number + 1:03}"
    path = bids / name / "anat" / f"{name}_T2w.nii.gz"
    chance = np.random.default_rng([turn, number])
    image = piece(phantoms[number % len(phantoms)].image, chance)
    with_fault = [turn + share * scans // len(FAULTS) for share in range(len(FAULTS))]
    fault = FAULTS[with_fault.index(number)] if number in with_fault else ""
    write_volume(path, _spoilt(image, fault, chance), np.int16)
    if fault == "cut short":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _spoilt(image: Volume, fault: str, chance: np.random.Generator) -> Volume:
    if fault == "blank":
        return image.with_data(np.zeros_like(image.data))
    if fault == "localiser":
        return Volume(image.data[:, :20], image.affine)
    if fault == "no spine":
        return image.with_data(chance.uniform(0, 100, image.data.shape))
    return image


def piece(image: Volume, chance: np.random.Generator) -> Volume:
    """Return a part of the image, from front to back but not from top to bottom; axes P, I, R."""
    image = reorient(image)
    height = int(chance.uniform(*HEIGHT_MM) / image.spacing_mm[1])
    start = int(chance.integers(0, max(1, image.data.shape[1] - height)))
    affine = image.affine.copy()
    affine[:3, 3] = image.grid.to_world(np.array([0, start, 0]))
    return Volume(image.data[:, start : start + height], affine)


def main(argv: list[str] | None = None) -> int:
    """Make the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scans", type=int, default=64)
    args = parser.parse_args(argv)
    small_study(args.folder, args.scans)
    return 0


if __name__ == "__main__":
    sys.exit(main())
