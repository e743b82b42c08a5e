"""Simulated scans turned into training cases, in parallel processes, resumable."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wirbel.core.geometry import grid_with_spacing, reorient, resample_image
from wirbel.core.preparation import prepare_image
from wirbel.learning.semantic_plans import SemanticNetwork
from wirbel.learning.training_cases import TrainingFolder, write_case, write_descriptions
from wirbel.phantom import make_phantom

BIAS_CORRECTED_SHARE = 0.5
"""Half of the cases go through N4, as users may switch it on or off."""


@dataclass(frozen=True)
class DataSettings:
    """Which phantoms to make; seeds count up from `first_seed`."""

    phantoms: int = 120
    first_seed: int = 100_000
    validation_cases: int = 4
    processes: int = 2

    def seeds(self) -> range:
        """Seeds of all cases."""
        return range(self.first_seed, self.first_seed + self.phantoms)


def make_training_data(root: Path, settings: DataSettings, network: SemanticNetwork) -> int:
    """Make the cases that are missing, then nnU-Net's descriptions; return the number of cases."""
    folder = TrainingFolder(root)
    done = set(folder.case_names())
    todo = [(root, seed, network) for seed in settings.seeds() if case_name(seed) not in done]
    for number, name in enumerate(_in_parallel(todo, settings.processes), start=1):
        print(f"training data: {name} ({number} of {len(todo)})", flush=True)
    write_descriptions(folder, network, settings.validation_cases)
    return len(folder.case_names())


def case_name(seed: int) -> str:
    """Return the name of the case made from a seed."""
    return f"phantom{seed:08d}"


def make_case(job: tuple[Path, int, SemanticNetwork]) -> str:
    """Simulate one scan, bring it to the model grid as the resample stage does, and store it."""
    root, seed, network = job
    spacing = network.spacing_mm
    phantom = make_phantom(seed, with_truth=False, model_grid_spacing_mm=spacing)
    random = np.random.default_rng([seed, 500])
    if random.random() < BIAS_CORRECTED_SHARE:
        image = prepare_image(phantom.image, case_name(seed), spacing).image.data
    else:
        source = reorient(phantom.image)
        image = resample_image(source, grid_with_spacing(source.grid, spacing)).data
    subregion, vertebra = phantom.model_subregion.data, phantom.model_vertebra.data
    if image.shape != subregion.shape:
        raise ValueError(f"seed {seed}: image {image.shape} and labels {subregion.shape} differ")
    write_case(TrainingFolder(root), case_name(seed), image, subregion, vertebra, network)
    return case_name(seed)


def _in_parallel(jobs: list, processes: int) -> Iterator[str]:
    if processes < 2 or len(jobs) < 2:
        yield from map(make_case, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(make_case, jobs)
