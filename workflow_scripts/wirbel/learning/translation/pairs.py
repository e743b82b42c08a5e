"""Pairs to train a translator with: an MR image and the tomogram of the same person, both on the model grid.

pairs/<name>.npz holds `image` (int16, as `resample` makes it), `ct` (float16, compressed Hounsfield units) and `known`
(uint8: 1 where the tomogram is to be learned from), axes (P, I, R). An interrupted run continues.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from wirbel.core.fusion.alignment import align
from wirbel.core.fusion.statements import on_grid
from wirbel.core.geometry import Grid, Volume, turned
from wirbel.core.preparation.hounsfield import compressed
from wirbel.core.preparation.image import Spacing, prepare_image
from wirbel.core.resampling import resample_image
from wirbel.core.spacing import spacing_within
from wirbel.io.atomic import write_text
from wirbel.io.dataset.bids import find_scans
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.references.label_files import label_file
from wirbel.io.references.metaimage import read_any
from wirbel.io.sidecars import read_arrays, write_arrays
from wirbel.learning.training.training_data import case_name, in_parallel, prepared_scan
from wirbel.learning.translation.translator_settings import PairData, TranslatorSettings
from wirbel.phantom import make_phantom
from wirbel.phantom.tomography import make_ct

LIST_NAME = "pairs.json"
SIMULATED = "simulated"


@dataclass(frozen=True)
class PairGroup:
    """Pairs that are seen equally often; `share` of all patches is theirs."""

    name: str
    share: float
    training: tuple[str, ...]
    validation: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """One pair on the model grid, arrays of one shape (P, I, R)."""

    image: np.ndarray
    ct: np.ndarray
    known: np.ndarray


def make_pairs(root: Path, settings: TranslatorSettings) -> list[PairGroup]:
    """Make the missing pairs below `root`, and the list of who is kept out; return that list."""
    network, data = settings.translator_network, settings.data
    spacing = partial(spacing_within, limits_mm=network.limits_mm)
    folder = root / "pairs"
    jobs = [
        (folder, seed, data.region_of(seed), network.limits_mm)
        for seed in data.seeds()
        if not _path(folder, case_name(seed)).exists()
    ]
    for number, name in enumerate(in_parallel(_simulate, jobs, data.processes), start=1):
        print(f"pairs: {name} ({number} of {len(jobs)})", flush=True)
    groups = [_real(folder, each, spacing) for each in settings.pairs]
    if data.phantoms:
        names = tuple(case_name(seed) for seed in data.seeds())
        kept = min(data.validation_cases, len(names) - 1)
        rest = 1 - sum(group.share for group in groups)
        parts = names[: len(names) - kept], names[len(names) - kept :]
        groups.append(PairGroup(SIMULATED, rest, *parts))
    write_text(root / LIST_NAME, json.dumps([vars(group) for group in groups], indent=1) + "\n")
    return groups


def read_pair(root: Path, name: str) -> Pair:
    """Return a pair that `make_pairs` made; raise ScanError if its file is damaged."""
    return Pair(**read_arrays(_path(root / "pairs", name)))


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.npz"


def _simulate(job: tuple[Path, int, str | None, tuple]) -> str:
    folder, seed, region, limits_mm = job
    name = case_name(seed)
    phantom = make_phantom(seed, region, with_truth=False, beyond_scanners=True)
    image = prepared_scan(phantom, name, partial(spacing_within, limits_mm=limits_mm))
    _write(folder, name, image, make_ct(phantom))
    return name


def _real(folder: Path, data: PairData, spacing: Callable[[Spacing], Spacing]) -> PairGroup:
    chosen = (*data.participants, *data.validation) if data.participants else ()
    scans = find_scans(data.images, chosen)
    if not scans:
        raise ValueError(f"{data.name}: expected T2w scans in {data.images}, found none")
    files = {scan: _files(data, scan) for scan in scans}
    kept = {f"sub-{name.removeprefix('sub-')}" for name in data.validation}
    names: dict[bool, list[str]] = {True: [], False: []}
    for scan, (ct_file, mask_file) in files.items():
        name = f"{data.name}_{scan.scan_id}"
        names[scan.participant_id in kept].append(name)
        if _path(folder, name).exists():
            continue
        mr, ct = read_volume(scan.path), read_any(ct_file)
        if data.align:
            ct = align(mr, ct).moved(ct)
        image = prepare_image(mr, scan.scan_id, spacing).image
        _write(folder, name, image, ct, None if mask_file is None else read_any(mask_file))
        print(f"pairs: {name}", flush=True)
    return PairGroup(data.name, data.share, tuple(names[False]), tuple(names[True]))


def _files(data: PairData, scan: FoundScan) -> tuple[Path, Path | None]:
    """Return a scan's tomogram and its mask, if the set has masks; raise ValueError if one is missing."""
    ct = label_file(Path(data.ct), scan.scan_id)
    mask = label_file(Path(data.masks), scan.scan_id) if data.masks else None
    for kind, folder, file in (("tomogram", data.ct, ct), ("mask", data.masks, mask)):
        if folder and file is None:
            raise ValueError(
                f"{data.name}: expected a {kind} {scan.scan_id}_*.nii.gz in {folder}, found none; "
                "add it, or leave the scan out (participants)"
            )
    assert ct is not None  # the set has a folder of tomograms
    return ct, mask


def _write(folder: Path, name: str, image: Volume, ct: Volume, mask: Volume | None = None) -> None:
    """Store a pair on the MR image's model grid."""
    known = seen(ct.grid, image.grid)
    if mask is not None:
        known &= on_grid(mask.with_data((mask.data > 0).astype(np.uint8)), image.grid, 0) > 0
    if not known.any():
        raise ValueError(
            f"{name}: expected a tomogram that shows what the scan shows, found no common voxel; "
            "register them, or leave the scan out (participants)"
        )
    write_arrays(
        _path(folder, name),
        image=image.data.astype(np.int16),
        ct=compressed(resample_image(turned(ct, image.axes), image.grid).data).astype(np.float16),
        known=known.astype(np.uint8),
    )


def seen(source: Grid, target: Grid) -> np.ndarray:
    """Return which voxels of a grid lie in another one's field of view (bool, the target's shape)."""
    inside = Volume(np.ones(source.shape, np.uint8), source.affine)
    return on_grid(inside, target, 0) > 0
