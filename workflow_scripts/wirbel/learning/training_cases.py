"""Training cases on disk: nnU-Net's preprocessed format, and label maps for the instance network.

A case is one simulated scan on the model grid, axes (P, I, R):
    cases/<name>.npz                    subregion and vertebra label maps (uint8), image (float16)
    nnUNet_preprocessed/<dataset>/...   the same, written by nnU-Net's own preprocessor
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wirbel.learning.semantic_plans import (
    CONFIGURATION,
    DATASET_NAME,
    PLANS_NAME,
    SemanticNetwork,
    class_of_label,
    dataset_json,
    plans_json,
)


@dataclass(frozen=True)
class TrainingFolder:
    """The folders of one training, below `root`."""

    root: Path

    @property
    def cases(self) -> Path:
        """Folder of the .npz cases."""
        return self.root / "cases"

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
    folder.cases.mkdir(parents=True, exist_ok=True)
    folder.arrays.mkdir(parents=True, exist_ok=True)
    write_preprocessed(folder, name, image, subregion, network)
    target = folder.cases / f"{name}.npz"
    temporary = folder.cases / f"{name}.{os.getpid()}.tmp"
    with temporary.open("wb") as file:
        np.savez_compressed(
            file,
            image=image.astype(np.float16),
            subregion=subregion.astype(np.uint8),
            vertebra=vertebra.astype(np.uint8),
        )
    os.replace(temporary, target)


def write_preprocessed(
    folder: TrainingFolder,
    name: str,
    image: np.ndarray,
    subregion: np.ndarray,
    network: SemanticNetwork,
) -> None:
    """Run nnU-Net's preprocessor on the case and store the result in nnU-Net's format."""
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.training.dataloading.nnunet_dataset import comp_blosc2_params, nnUNetDatasetBlosc2
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    plans = PlansManager(plans_json(network, list(image.shape)))
    configuration = plans.get_configuration(CONFIGURATION)
    data, segmentation, properties = DefaultPreprocessor(verbose=False).run_case_npy(
        image[None].astype(np.float32),
        as_classes(subregion)[None],
        {"spacing": list(network.spacing_mm)},
        plans,
        configuration,
        dataset_json(1),
    )
    blocks, chunks = comp_blosc2_params(data.shape, network.patch_size, 4)
    for old in folder.arrays.glob(f"{name}.b2nd"), folder.arrays.glob(f"{name}_seg.b2nd"):
        for path in old:
            path.unlink()
    nnUNetDatasetBlosc2.save_case(
        data.astype(np.float32), segmentation, properties, str(folder.arrays / name), chunks, blocks
    )


def write_descriptions(
    folder: TrainingFolder, network: SemanticNetwork, validation_cases: int
) -> None:
    """Write plans.json, dataset.json, the fingerprint and the split for the existing cases."""
    names = folder.case_names()
    shapes = [np.load(folder.cases / f"{name}.npz")["subregion"].shape for name in names[:20]]
    median = [int(n) for n in np.median(shapes, axis=0)]
    _write_json(folder.dataset / f"{PLANS_NAME}.json", plans_json(network, median))
    _write_json(folder.dataset / "dataset.json", dataset_json(len(names)))
    _write_json(folder.dataset / "dataset_fingerprint.json", {})
    kept = max(1, min(validation_cases, len(names) // 4)) if len(names) > 1 else 0
    split = {"train": names[: len(names) - kept], "val": names[len(names) - kept :] or names}
    _write_json(folder.dataset / "splits_final.json", [split])


def read_case(folder: TrainingFolder, name: str) -> dict[str, np.ndarray]:
    """Return the label maps of a case, by name."""
    with np.load(folder.cases / f"{name}.npz") as stored:
        return {key: stored[key] for key in ("subregion", "vertebra")}


def as_classes(subregion: np.ndarray) -> np.ndarray:
    """Replace labels by the network's consecutive classes (int8)."""
    table = np.zeros(256, np.int8)
    for label, index in class_of_label().items():
        table[label] = index
    return table[subregion]


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
