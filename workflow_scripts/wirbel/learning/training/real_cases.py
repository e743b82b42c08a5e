"""Turn real scans with label maps into training cases, partial labels as what they are."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from wirbel.core.geometry import Grid, Volume, reorient
from wirbel.core.label_schemes import LabelScheme
from wirbel.core.preparation.image import prepare_image
from wirbel.core.resampling import resample_labels
from wirbel.core.spacing import spacing_within
from wirbel.errors import ScanError
from wirbel.io.dataset.bids import find_scans
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.foreign.label_schemes import read_scheme
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.references.label_files import label_file
from wirbel.io.references.metaimage import read_any
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.learning.semantic.semantic_plans import SemanticNetwork
from wirbel.learning.training.mixture import Mixture, RealCases
from wirbel.learning.training.splits import Part, dealt, read_folds
from wirbel.learning.training.targets import Targets, as_targets, targets_of
from wirbel.learning.training.training_cases import TrainingFolder, write_partial_case
from wirbel.learning.training.training_settings import RealData


def make_real_cases(
    folder: TrainingFolder, sets: tuple[RealData, ...], network: SemanticNetwork, splits: Path
) -> tuple[Mixture, list[Part]]:
    """Make the missing cases of all sets of real scans; return how they are to be mixed, and who is kept out.

    Parameters
    ----------
    folder : TrainingFolder
        Where cases are kept.
    sets : tuple of RealData
        The sets of scans.
    network : SemanticNetwork
        Model grid: axes and voxel size in mm.
    splits : Path
        Table of the folds that participants were dealt to before.

    Raises
    ------
    ValueError
        If a scan has no label map, or a label map has unknown numbers.
    """
    schemes = {data.name: read_scheme(data.scheme) for data in sets}
    targets = targets_of(schemes.values())
    parts = {data.name: _parts(data, _scans(data), splits) for data in sets}
    cases = tuple(
        _cases_of(folder, data, schemes[data.name], targets, network, parts[data.name])
        for data in sets
    )
    return Mixture(targets, cases), [part for name in parts for part in parts[name]]


def _parts(data: RealData, scans: list[FoundScan], splits: Path) -> list[Part]:
    """Return who of a set is kept out of the training."""
    people = sorted({scan.participant_id for scan in scans})
    if data.folds:
        folds = dealt(people, read_folds(splits, data.name), data.folds)
        return [Part(data.name, name, folds[name], folds[name] == data.fold) for name in people]
    kept = {f"sub-{name.removeprefix('sub-')}" for name in data.validation}
    return [Part(data.name, name, None, name in kept) for name in people]


def _cases_of(
    folder: TrainingFolder,
    data: RealData,
    scheme: LabelScheme,
    targets: Targets,
    network: SemanticNetwork,
    parts: list[Part],
) -> RealCases:
    scans = [(scan, labels_of(Path(data.labels), scan)) for scan in _scans(data)]
    kept = {part.participant_id for part in parts if part.validation}
    teacher = SemanticModel(Path(data.teacher)) if data.teacher else None
    done = set(folder.partial_names())
    groups: dict[bool, list[str]] = {True: [], False: []}
    for scan, labels in scans:
        name = f"{data.name}_{scan.scan_id}"
        groups[scan.participant_id in kept].append(name)
        if name in done:
            continue
        image, numbers = case_of(scan, labels, scheme, targets, network)
        if teacher is not None:
            numbers = taught(numbers, image.data, teacher, targets, data.teacher_confidence)
        write_partial_case(folder, name, image.data, numbers, network)
        print(f"training data: {name}", flush=True)
    return RealCases(data.share, tuple(groups[False]), tuple(groups[True]))


def _scans(data: RealData) -> list[FoundScan]:
    chosen = (*data.participants, *data.validation) if data.participants else ()
    scans = find_scans(data.images, chosen)
    if not scans:
        raise ValueError(f"{data.name}: expected T2w scans in {data.images}, found none")
    return scans


def labels_of(folder: Path, scan: FoundScan) -> Path:
    """Return the label map of a scan: the one file whose name starts with the scan's.

    Raises
    ------
    ValueError
        If there is none, or more than one.
    """
    try:
        found = label_file(folder, scan.scan_id)
    except ScanError as error:
        raise ValueError(error.detail) from None
    if found is None:
        raise ValueError(
            f"expected one label map {scan.scan_id}_*.nii.gz in {folder}, found none; "
            "name one after each scan, or leave the scan out (participants)"
        )
    return found


def case_of(
    scan: FoundScan,
    labels: Path,
    scheme: LabelScheme,
    targets: Targets,
    network: SemanticNetwork,
) -> tuple[Volume, np.ndarray]:
    """Return a scan on the model grid, prepared as the workflow does, and its targets there.

    Parameters
    ----------
    scan : FoundScan
        The scan.
    labels : Path
        Its label map, on the scan's grid.
    scheme : LabelScheme
        What the map's numbers mean.
    targets : Targets
        What a voxel may be.
    network : SemanticNetwork
        Model grid: axes and voxel size in mm.

    Returns
    -------
    image : Volume
        Axes (P, I, R), intensities as `resample` makes them.
    target : numpy.ndarray
        uint8, the image's shape.
    """
    spacing = partial(spacing_within, limits_mm=network.limits_mm)
    image = prepare_image(read_volume(scan.path), scan.scan_id, spacing).image
    volume = read_any(labels)
    numbers = as_targets(volume.data, scheme, targets, labels.name)
    return image, on_grid(volume.with_data(numbers), image.grid)


def on_grid(targets: Volume, grid: Grid) -> np.ndarray:
    """Return targets on another grid; outside their field of view they are background (0)."""
    shifted = targets.with_data(targets.data + np.uint8(1))  # 0 would give way to every other one
    there = reorient(shifted, grid.axes)
    data = resample_labels(there, grid).data
    return np.where(data == 0, 0, data - 1).astype(np.uint8)


def taught(
    numbers: np.ndarray,
    image: np.ndarray,
    teacher: SemanticModel,
    targets: Targets,
    confidence: float,
) -> np.ndarray:
    """Let a trained network choose among the structures of a union where it is sure.

    Where the network's most probable structure is not among those that the label allows, the label stays a union, so
    a teacher cannot contradict it.

    Parameters
    ----------
    numbers : ndarray of uint8, shape (P, I, R)
        Targets.
    image : ndarray, shape (P, I, R)
        The scan on the model grid.
    teacher : SemanticModel
        A network with the same classes.
    targets : Targets
        What the numbers mean.
    confidence : float
        Smallest probability of the chosen structure.
    """
    found = teacher.probabilities(teacher.normalise(image.astype(np.float32)), image.shape)
    best = found.argmax(0)
    sure = (found.max(0) >= confidence) & targets.table()[numbers, best]
    return np.where(sure, best, numbers).astype(np.uint8)
