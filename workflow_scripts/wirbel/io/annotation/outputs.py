"""Write fused maps and keep readers' corrections: `annotate` never writes over what a person has changed.

A correction is a map in the corrections folder, or a fused map or training map that no longer has the bytes that were
written: somebody has edited it in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wirbel import __version__
from wirbel.core.fusion.fuse import IGNORE, Fused
from wirbel.core.fusion.statements import on_grid
from wirbel.core.geometry import Grid, Volume
from wirbel.io.atomic import replaced_together, sha256_of_file
from wirbel.io.dataset.bids import anat_folder
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.maps.lookup_tables import LOOKUPS
from wirbel.io.maps.sidecar_entries import map_sidecar
from wirbel.io.nifti.volumes import LABELS, read_header, read_volume, write_volume
from wirbel.io.references.label_files import label_file
from wirbel.io.sidecars import read_json, write_json

TRAINING = "training"
KEY, WRITTEN, BEFORE = "Key", "WrittenSha256", "LastSha256"
"""Entries of a sidecar: what decided the result; the map's content as it was written, and as it was before that."""
SUBREGION, VERTEBRA, DISAGREEMENT = "subregion", "vertebra", "disagreement"
TRAINING_TEXT = "Substructures of the spine for training; 255: ignore, the sources do not decide"


@dataclass(frozen=True)
class Outputs:
    """Where the files of one scan go, below the output folder."""

    output: Path
    scan: FoundScan

    def stem(self, kind: str) -> Path:
        """Return a fused map's path without its suffix."""
        anat = anat_folder(self.output, self.scan.participant_id, self.scan.session_id)
        ending = "probseg" if kind == DISAGREEMENT else "dseg"
        return anat / f"{self.scan.scan_id}_desc-{kind}_{ending}"

    @property
    def training(self) -> Path:
        """The training map's path without its suffix."""
        return self.output / TRAINING / f"{self.scan.scan_id}_desc-training_dseg"

    def correction(self, folder: Path) -> Path | None:
        """Return the map that a reader has corrected; None without one.

        A training map that was edited comes first, then the corrections folder, then an edited fused map.
        """
        if is_edited(self.training):
            return _map(self.training)
        theirs = label_file(folder, self.scan.scan_id) if folder.is_dir() else None
        return theirs or (_map(self.stem(SUBREGION)) if is_edited(self.stem(SUBREGION)) else None)

    def told(self) -> dict[str, Any]:
        """Return the sidecar of the training map; {} without one."""
        return _sidecar(self.training)

    def stands(self, key: str) -> bool:
        """Whether the scan was fused under the same key and its maps are there, as written or as a reader left them."""
        stems = (self.training, self.stem(SUBREGION))
        whole = all(
            _map(stem).exists() and (_is_written(stem) or is_edited(stem)) for stem in stems
        )
        return whole and self.told().get(KEY) == key


def is_edited(stem: Path) -> bool:
    """Whether a map has other bytes than those that were written; False without a map or a sidecar.

    A run that was killed may have left the map of the run before it: that is no edit.
    """
    told = _sidecar(stem)
    if not _map(stem).exists() or WRITTEN not in told:
        return False
    return sha256_of_file(_map(stem)) not in (told[WRITTEN], told.get(BEFORE))


def _is_written(stem: Path) -> bool:
    return sha256_of_file(_map(stem)) == _sidecar(stem).get(WRITTEN)


def _sidecar(stem: Path) -> dict[str, Any]:
    try:
        return read_json(stem.with_name(stem.name + ".json"))
    except (OSError, ValueError):
        return {}


def write_fused(
    outputs: Outputs,
    fused: Fused,
    provenance: Mapping[str, Any],
    correction: Path | None,
) -> None:
    """Write all maps of a scan; with a correction, the training map is the reader's.

    Parameters
    ----------
    outputs : Outputs
        Where they go.
    fused : Fused
        What they hold.
    provenance : mapping
        Further entries of the sidecars.
    correction : Path, optional
        The reader's map, in our subregion numbers.
    """
    placement = read_header(outputs.scan.path).placement
    maps = {SUBREGION: fused.subregion, VERTEBRA: fused.vertebra}
    for kind, volume in maps.items():
        stem = outputs.stem(kind)
        if volume is not None and not is_edited(stem):
            _write_labels(stem, volume, LOOKUPS[kind], dict(provenance), placement)
    path = _map(outputs.stem(DISAGREEMENT))
    write_volume(path, fused.disagreement, np.float32, placement)
    write_json(
        Path(f"{outputs.stem(DISAGREEMENT)}.json"),
        {
            "Description": "Share of the sources' trust that speaks against the fused label (0: none)",
            "GeneratedBy": [{"Name": "wirbel", "Version": __version__}],
            **provenance,
        },
    )
    _write_training(outputs, fused, provenance, correction, placement)


def _write_training(
    outputs: Outputs,
    fused: Fused,
    provenance: Mapping[str, Any],
    correction: Path | None,
    placement: Mapping[str, np.ndarray],
) -> None:
    stem = outputs.training
    if correction is not None and correction == _map(stem):
        told = outputs.told() | {"Manual": True, KEY: provenance[KEY]}
        write_json(Path(f"{stem}.json"), told)  # the map itself is the reader's: it stays
        return
    described = (TRAINING_TEXT, *LOOKUPS[SUBREGION][1:])
    volume, more = fused.training, dict(provenance)
    if correction is not None:
        volume = corrected_on(correction, fused.training.grid)
        more |= {"Manual": True, "Correction": correction.name}
    _write_labels(stem, volume, described, more, placement)


def corrected_on(path: Path, grid: Grid) -> Volume:
    """Return a reader's map on a scan's grid; beyond its field of view: `IGNORE`."""
    return Volume(on_grid(read_volume(path), grid, outside=IGNORE).astype(np.uint8), grid.affine)


def _write_labels(
    stem: Path,
    volume: Volume,
    described: tuple,
    more: dict[str, Any],
    placement: Mapping[str, np.ndarray],
) -> None:
    """Write a map and its sidecar, which knows the digests of the new and the last map before the map is replaced."""
    path = _map(stem)
    before = sha256_of_file(path) if path.exists() else None
    with replaced_together(stem.parent) as new:
        write_volume(new / path.name, volume, np.uint8, placement, intent=LABELS)
        digests = {WRITTEN: sha256_of_file(new / path.name), BEFORE: before}
        write_json(Path(f"{stem}.json"), map_sidecar(described[0], more) | digests)


def _map(stem: Path) -> Path:
    return stem.with_name(stem.name + ".nii.gz")
