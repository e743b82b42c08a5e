"""Training cases on disk: nnU-Net's preprocessed format, and label maps for the instance network.

A case is one simulated scan on the model grid, axes (P, I, R):
    cases/<name>.npz                    subregion and vertebra label maps (uint8), image (float16)
    nnUNet_preprocessed/<dataset>/...   the same, written by nnU-Net's own preprocessor

A case of a real scan has targets (`learning.training.targets`) instead of label maps, in partial/<name>.npz. Only the
semantic network learns from it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.learning.semantic.semantic_plans import (
    CONFIGURATION,
    DATASET_NAME,
    PLANS_NAME,
    SemanticNetwork,
    class_of_label,
    dataset_json,
    plans_json,
)
from wirbel.learning.training.mixture import Mixture


@dataclass(frozen=True)
class TrainingFolder:
    """The folders of one training, below `root`."""

    root: Path

    @property
    def cases(self) -> Path:
        """Folder of the .npz cases."""
        return self.root / "cases"

    @property
    def partial(self) -> Path:
        """Folder of the .npz cases of real scans."""
        return self.root / "partial"

    @property
    def preprocessed(self) -> Path:
        """nnU-Net's `nnUNet_preprocessed`."""
        return self.root / "nnUNet_preprocessed"

    @property
    def results(self) -> Path:
        """nnU-Net's `nnUNet_results`."""
        return self.root / "nnUNet_results"

    @property
    def dataset(self) -> Path:
        """nnU-Net's folder of Wirbel's data set."""
        return self.preprocessed / DATASET_NAME

    @property
    def arrays(self) -> Path:
        """nnU-Net's folder of preprocessed arrays."""
        return self.dataset / f"{PLANS_NAME}_{CONFIGURATION}"

    def case_names(self) -> list[str]:
        """Return the names of the finished cases, sorted."""
        return sorted(path.stem for path in self.cases.glob("*.npz"))

    def partial_names(self) -> list[str]:
        """Return the names of the finished cases of real scans, sorted."""
        return sorted(path.stem for path in self.partial.glob("*.npz"))

    @property
    def mixture(self) -> Path:
        """What the numbers of the targets mean, and how often each case is seen."""
        return self.dataset / "mixture.json"

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which nnU-Net finds this folder."""
        return {
            "nnUNet_preprocessed": str(self.preprocessed),
            "nnUNet_results": str(self.results),
            "nnUNet_raw": str(self.root / "nnUNet_raw"),
        }


def write_case(
    folder: TrainingFolder,
    name: str,
    image: np.ndarray,
    subregion: np.ndarray,
    vertebra: np.ndarray,
    network: SemanticNetwork,
) -> None:
    """Store one case. The .npz is written last, so a case that has one is complete.

    Parameters
    ----------
    folder : TrainingFolder
        Where to store it.
    name : str
        Name of the case.
    image, subregion, vertebra : ndarray, shape (P, I, R)
        Scan and label maps on the model grid.
    network : SemanticNetwork
        Settings of the semantic network.
    """
    write_preprocessed(folder, name, image, as_classes(subregion), network)
    maps = {"subregion": subregion.astype(np.uint8), "vertebra": vertebra.astype(np.uint8)}
    _save(folder.cases / f"{name}.npz", image=image.astype(np.float16), **maps)


def write_partial_case(
    folder: TrainingFolder,
    name: str,
    image: np.ndarray,
    target: np.ndarray,
    network: SemanticNetwork,
) -> None:
    """Store one case of a real scan; `target` has the numbers of `wirbel.learning.training.targets`.

    Parameters
    ----------
    folder : TrainingFolder
        Where cases are kept.
    name : str
        Name of the case.
    image : numpy.ndarray
        Model grid, axes (P, I, R).
    target : numpy.ndarray
        uint8, same shape.
    network : SemanticNetwork
        The network's settings.
    """
    write_preprocessed(folder, name, image, target, network)
    _save(
        folder.partial / f"{name}.npz",
        image=image.astype(np.float16),
        target=target.astype(np.uint8),
    )


def _save(path: Path, **arrays: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    os.replace(temporary, path)


def write_preprocessed(
    folder: TrainingFolder,
    name: str,
    image: np.ndarray,
    target: np.ndarray,
    network: SemanticNetwork,
) -> None:
    """Run nnU-Net's preprocessor on the case and store the result in nnU-Net's format.

    `target` holds classes, or numbers beyond them for several classes. nnU-Net then remembers places of those numbers
    as well, so that patches are centred on them.

    Parameters
    ----------
    folder : TrainingFolder
        Where cases are kept.
    name : str
        Name of the case.
    image : numpy.ndarray
        Model grid, axes (P, I, R).
    target : numpy.ndarray
        uint8, same shape.
    network : SemanticNetwork
        The network's settings.
    """
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.training.dataloading.nnunet_dataset import comp_blosc2_params, nnUNetDatasetBlosc2
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    plans = PlansManager(plans_json(network, list(image.shape)))
    configuration = plans.get_configuration(CONFIGURATION)
    data, segmentation, properties = DefaultPreprocessor(verbose=False).run_case_npy(
        image[None].astype(np.float32),
        target.astype(np.int8)[None],
        {"spacing": list(network.spacing_mm)},
        plans,
        configuration,
        _with_numbers(dataset_json(1), int(target.max(initial=0))),
    )
    folder.arrays.mkdir(parents=True, exist_ok=True)
    blocks, chunks = comp_blosc2_params(data.shape, network.patch_size, 4)
    for old in folder.arrays.glob(f"{name}.b2nd"), folder.arrays.glob(f"{name}_seg.b2nd"):
        for path in old:
            path.unlink()
    nnUNetDatasetBlosc2.save_case(
        data.astype(np.float32), segmentation, properties, str(folder.arrays / name), chunks, blocks
    )


def write_descriptions(
    folder: TrainingFolder,
    network: SemanticNetwork,
    validation_cases: int,
    mixture: Mixture | None = None,
) -> list[str]:
    """Write plans.json, dataset.json, the fingerprint and the split for the existing cases; return who is kept out.

    Parameters
    ----------
    folder : TrainingFolder
        The cases.
    network : SemanticNetwork
        Settings of the semantic network.
    validation_cases : int
        How many simulated scans to keep out of the training, the last ones by name.
    mixture : Mixture, optional
        What real scans add.
    """
    names = folder.case_names()
    mixture = mixture or Mixture()
    files = [folder.cases / f"{n}.npz" for n in names] + [
        folder.partial / f"{n}.npz" for n in mixture.names()
    ]
    shapes = [np.load(path)["image"].shape for path in files[:20]]
    median = [int(n) for n in np.median(shapes, axis=0)]
    _write_json(folder.dataset / f"{PLANS_NAME}.json", plans_json(network, median))
    _write_json(folder.dataset / "dataset.json", dataset_json(len(files)))
    _write_json(folder.dataset / "dataset_fingerprint.json", {})
    kept = max(1, min(validation_cases, len(names) // 4)) if len(names) > 1 else 0
    split = {
        "train": names[: len(names) - kept] + mixture.training(),
        "val": names[len(names) - kept :] + mixture.validation() or names,
    }
    if not split["val"]:
        split["val"] = split["train"]
    _write_json(folder.dataset / "splits_final.json", [split])
    _write_json(folder.mixture, mixture.stored(names))
    return split["val"]


def read_case(folder: TrainingFolder, name: str) -> dict[str, np.ndarray]:
    """Return the label maps of a case, by name."""
    with np.load(folder.cases / f"{name}.npz") as stored:
        return {key: stored[key] for key in ("subregion", "vertebra")}


def read_image(folder: TrainingFolder, name: str) -> np.ndarray:
    """Return the image of a case: float32, axes (P, I, R)."""
    with np.load(folder.cases / f"{name}.npz") as stored:
        return stored["image"].astype(np.float32)


def on_model_grid(array: np.ndarray, spacing_mm: tuple[float, float, float]) -> Volume:
    """Return an array of a case, axes (P, I, R), as a volume; cases are stored without a place in the world."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]]) * np.array(spacing_mm)
    return Volume(array, affine)


def parted(names: list[str]) -> tuple[list[str], list[str]]:
    """Return the simulated cases to train with, and the last twentieth, which is kept out; of one case both."""
    kept = max(1, len(names) // 20) if len(names) > 1 else 0
    return names[: len(names) - kept], names[len(names) - kept :] or names


def as_classes(subregion: np.ndarray) -> np.ndarray:
    """Replace labels by the network's consecutive classes (int8)."""
    table = np.zeros(256, np.int8)
    for label, index in class_of_label().items():
        table[label] = index
    return table[subregion]


def _with_numbers(description: dict, largest: int) -> dict:
    """Return a dataset.json in which numbers beyond the classes have names of their own."""
    labels = dict(description["labels"])
    labels |= {f"union{number}": number for number in range(len(labels), largest + 1)}
    return {**description, "labels": labels}


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
