"""Write what `translate` makes of a scan, and tell whether it stands already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wirbel import __version__
from wirbel.core.geometry import Volume
from wirbel.io.atomic import replaced_together, sha256_of_file
from wirbel.io.dataset.bids import anat_folder
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.maps.lookup_tables import LOOKUPS
from wirbel.io.maps.sidecar_entries import map_sidecar, raw_uri
from wirbel.io.nifti.volumes import LABELS, read_header, write_volume
from wirbel.io.sidecars import read_json, write_json

TOMOGRAM, SUBREGION = "desc-translated_ct", "desc-subregion_dseg"
KEY, WRITTEN = "Key", "WrittenSha256"
"""Entries of a sidecar: what decided the result, and the content of its image."""
DESCRIPTION = (
    "Hounsfield units estimated from an MR image by a network; not a tomogram of the person"
)


@dataclass(frozen=True)
class TranslatedFiles:
    """Where the files of one scan go, below the output folder."""

    output: Path
    scan: FoundScan

    def stem(self, kind: str) -> Path:
        """Return a file's path without its suffix."""
        anat = anat_folder(self.output, self.scan.participant_id, self.scan.session_id)
        return anat / f"{self.scan.scan_id}_{kind}"

    def stand(self, key: str, kinds: tuple[str, ...]) -> bool:
        """Whether all files were made under the same key and are as they were written."""
        return all(self._stands(self.stem(kind), key) for kind in kinds)

    def _stands(self, stem: Path, key: str) -> bool:
        try:
            told, digest = read_json(f"{stem}.json"), sha256_of_file(Path(f"{stem}.nii.gz"))
        except (OSError, ValueError):
            return False
        return told.get(KEY) == key and told.get(WRITTEN) == digest

    def write(self, tomogram: Volume, labels: Volume | None, provenance: Mapping[str, Any]) -> None:
        """Write the tomogram and the label map of its structures, each with its sidecar.

        Parameters
        ----------
        tomogram : Volume
            Hounsfield units on the scan's grid.
        labels : Volume, optional
            Our subregion numbers, there as well.
        provenance : mapping
            Further entries of the sidecars.
        """
        placement = read_header(self.scan.path).placement
        source = raw_uri(self.scan.participant_id, self.scan.session_id, self.scan.path)
        more = {"Sources": [source], **provenance}
        generator = {"Name": "wirbel", "Version": __version__}
        told = {"Description": DESCRIPTION, "GeneratedBy": [generator], "Units": "HU", **more}
        stem = self.stem(TOMOGRAM)
        with replaced_together(stem.parent) as new:
            image = new / f"{stem.name}.nii.gz"
            write_volume(image, tomogram, np.int16, placement)
            write_json(new / f"{stem.name}.json", told | {WRITTEN: sha256_of_file(image)})
            if labels is not None:
                stem = self.stem(SUBREGION)
                image = new / f"{stem.name}.nii.gz"
                write_volume(image, labels, np.uint8, placement, intent=LABELS)
                entries = map_sidecar(LOOKUPS["subregion"][0], more)
                write_json(new / f"{stem.name}.json", entries | {WRITTEN: sha256_of_file(image)})
