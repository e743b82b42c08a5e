"""Draw what the QC report shows of a batch's scans: a panel each, and one sheet of thumbnails.

A scan that cannot be drawn has no picture, and the log says why: it fails at no stage because of that.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.preparation.voxel_values import cleaned
from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.maps.ingest_sidecar import ingest_in_words, ingest_sidecar
from wirbel.io.maps.reviewed_map import naming_map
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.sidecars import read_json
from wirbel.io.tabular.measurements import read_measurements
from wirbel.manifests.batches import Scan, StageFolders, read_scans
from wirbel.manifests.receipts import (
    digest_of_seals,
    pictures_receipt,
    read_seals,
    write_receipt,
)
from wirbel.manifests.records import OK, Record, manifest_file, read_records
from wirbel.plan.plan import Plan, output_of, read_plan
from wirbel.report.batch_pictures import BatchPictures
from wirbel.report.panels import panel
from wirbel.runner.arguments import stage_arguments
from wirbel.runner.failures import machine_fault, scan_fault
from wirbel.runner.progress import keep


class Sources:
    """Where the maps, the measurements and the scan itself of each scan of a batch are."""

    def __init__(self, output_dir: Path, plan: Plan, batch: str) -> None:
        self._folders, self._output_dir = StageFolders(output_dir), output_dir
        self._named = read_records(manifest_file(output_dir, plan.naming, batch))
        self._measured = read_records(manifest_file(output_dir, plan.names[-1], batch))

    def drawn(self, scan: Scan) -> tuple[dict[str, Any], Any]:
        """Return a scan's panel and thumbnail; raises ScanError where its file cannot be read."""
        image = cleaned(read_volume(scan.path))
        image = image.with_data(image.data.astype(np.float32))
        maps, described = self._maps(scan, image)
        measured = self._measurements(self._measured.get(scan.scan_id))
        warnings = ingest_in_words(ingest_sidecar(scan.path, self._folders.anat(scan)))
        content, thumb = panel(scan.scan_id, image, maps, measured, described, warnings)
        if maps is not None:
            content["map"] = self._address(scan)
        return content, thumb

    def _address(self, scan: Scan) -> str:
        """Return where the subregion map is, below the output folder."""
        anat = self._folders.anat(scan).relative_to(self._output_dir)
        return (anat / f"{scan.scan_id}_desc-subregion_dseg.nii.gz").as_posix()

    def _maps(self, scan: Scan, image: Volume) -> tuple[tuple[Volume, Volume] | None, dict]:
        """Return both maps and what the sidecar says; None where there are none that fit the image."""
        record = self._named.get(scan.scan_id)
        if record is None or record.status != OK:
            return None, {}
        measured = self._measured.get(scan.scan_id)
        kind = naming_map(measured.outputs if measured else ())
        stem = self._folders.anat(scan) / f"{scan.scan_id}_desc"
        subregion, vertebra = (
            read_volume(f"{stem}-{name}_dseg.nii.gz") for name in ("subregion", kind)
        )
        sidecar = Path(f"{stem}-{kind}_dseg.json")
        described = read_json(sidecar) if sidecar.exists() else {}
        fits = subregion.data.shape == image.data.shape
        return ((subregion, vertebra) if fits else None), described

    def _measurements(self, record: Record | None) -> dict[str, Any]:
        if record is None or record.status != OK:
            return {}
        return read_measurements(self._output_dir / record.outputs[0])


def draw(output_dir: Path, plan: Plan, batch: str) -> list[Path]:
    """Draw the pictures of a batch; return the files."""
    pictures = BatchPictures(output_dir, batch)
    sources = Sources(output_dir, plan, batch)
    pictures.sweep()
    for scan in read_scans(output_dir, batch, plan.ingested):
        try:
            content, thumb = sources.drawn(scan)
        except Exception as error:
            if machine_fault(error):
                raise
            reason, detail = scan_fault(error)
            told = f"pictures {batch}: {scan.scan_id} is not drawn ({reason}): {detail}"
            keep(output_dir, batch, told)
            continue
        pictures.add(scan.scan_id, content, thumb)
    pictures.finish()
    return pictures.written


def main(argv: list[str] | None = None) -> int:
    """Draw a batch's pictures; return the exit code."""
    args: argparse.Namespace = stage_arguments("pictures", __doc__, argv)
    output_dir = output_of(args.plan)
    try:
        plan = read_plan(args.plan)
        seals = read_seals(output_dir, plan, plan.names[-2:], [args.batch])
        written = draw(output_dir, plan, args.batch)
    except (InfrastructureError, ScanError, OSError) as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 1
    made_by, made_from = plan.stage("pictures").fingerprint, digest_of_seals(seals)
    write_receipt(output_dir, pictures_receipt(args.batch), made_by, made_from, written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
