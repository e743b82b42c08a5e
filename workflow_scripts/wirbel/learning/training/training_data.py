"""Turn simulated and real scans into training cases; an interrupted run continues."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.preparation.image import Spacing, prepare_image
from wirbel.core.resampling import resample_image
from wirbel.core.spacing import spacing_within
from wirbel.learning.semantic.semantic_plans import SemanticNetwork
from wirbel.learning.training.real_cases import make_real_cases
from wirbel.learning.training.splits import FILE_NAME, SIMULATED, Part, write_splits
from wirbel.learning.training.training_cases import TrainingFolder, write_case, write_descriptions
from wirbel.learning.training.training_settings import DataSettings, RealData
from wirbel.phantom import Phantom, make_phantom
from wirbel.phantom.tomography import make_ct

BIAS_CORRECTED_SHARE = 0.5
"""Half of the cases go through N4: the network is used with it by default, but users may switch it
off.
"""
WATER_PIXELS_MM = (0.7, 1.9)


def make_training_data(
    root: Path,
    settings: DataSettings,
    network: SemanticNetwork,
    real: tuple[RealData, ...] = (),
    splits: str = "",
) -> int:
    """Make the missing cases, then nnU-Net's descriptions; return the number of cases.

    Parameters
    ----------
    root : Path
        Folder of the training.
    settings : DataSettings
        How many simulated cases, and of what kind.
    network : SemanticNetwork
        Model grid: axes and voxel size in mm.
    real : tuple of RealData, optional
        Real scans with label maps.
    splits : str, optional
        Table of who is kept out of the training. Default: `splits.tsv` in the folder.

    Returns
    -------
    int
        Number of cases.
    """
    folder = TrainingFolder(root)
    done = set(folder.case_names())
    todo = [
        (root, seed, settings, network) for seed in settings.seeds() if case_name(seed) not in done
    ]
    for number, name in enumerate(in_parallel(make_case, todo, settings.processes), start=1):
        print(f"training data: {name} ({number} of {len(todo)})", flush=True)
    table = Path(splits) if splits else root / FILE_NAME
    mixture, people = make_real_cases(folder, real, network, table)
    kept = set(write_descriptions(folder, network, settings.validation_cases, mixture))
    simulated = [Part(SIMULATED, name, None, name in kept) for name in folder.case_names()]
    write_splits(table, [*simulated, *people])
    return len(folder.case_names()) + len(mixture.names())


def case_name(seed: int) -> str:
    """Return the name of the case made from a seed."""
    return f"phantom{seed:08d}"


def make_case(job: tuple[Path, int, DataSettings, SemanticNetwork]) -> str:
    """Simulate one scan, bring it to the model grid as the resample stage does, and store it."""
    root, seed, settings, network = job
    spacing = partial(spacing_within, limits_mm=network.limits_mm)
    phantom = make_phantom(
        seed,
        settings.region_of(seed),
        with_truth=False,
        beyond_scanners=True,
        model_grid_spacing_mm=spacing,
        **(_water_image(seed) if settings.is_water(seed) else {}),
    )
    name = case_name(seed)
    image = prepared(phantom, name, network)
    if phantom.model_subregion is None or phantom.model_vertebra is None:
        raise ValueError(f"seed {seed}: the phantom has no labels on the model grid")
    subregion, vertebra = phantom.model_subregion.data, phantom.model_vertebra.data
    if image.shape != subregion.shape:
        raise ValueError(f"seed {seed}: image {image.shape} and labels {subregion.shape} differ")
    write_case(TrainingFolder(root), name, image, subregion, vertebra, network)
    return name


def _water_image(seed: int) -> dict[str, Any]:
    """Return the options of a water image: such sequences are coarser than a T2w turbo spin echo."""
    pixel_mm = np.random.default_rng([seed, 501]).uniform(*WATER_PIXELS_MM)
    return {"water_image": True, "in_plane_mm": float(pixel_mm)}


def prepared(phantom: Phantom, name: str, network: SemanticNetwork) -> np.ndarray:
    """Return a phantom's image on the model grid, in the network's contrast.

    A tomogram is first brought to the MR image's grid: that is where a translated image lies.
    """
    spacing = partial(spacing_within, limits_mm=network.limits_mm)
    if not network.is_tomography:
        return prepared_scan(phantom, name, spacing).data
    scan = resample_image(make_ct(phantom), phantom.image.grid)
    return prepare_image(scan, name, spacing, tomography=True).image.data


def prepared_scan(phantom: Phantom, name: str, spacing: Callable[[Spacing], Spacing]) -> Volume:
    """Return a phantom's MR image on the model grid, with or without its bias field."""
    random = np.random.default_rng([phantom.seed, 500])
    corrected = random.random() < BIAS_CORRECTED_SHARE
    return prepare_image(phantom.image, name, spacing, correct_bias=corrected).image


def in_parallel(make: Callable[[Any], str], jobs: list, processes: int) -> Iterator[str]:
    """Yield what `make` returns for each job, in any order."""
    if processes < 2 or len(jobs) < 2:
        yield from map(make, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(make, jobs)
