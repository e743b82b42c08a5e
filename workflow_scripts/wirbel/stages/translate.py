"""Translate MR scans to tomograms, and segment these by a network of tomograms: a source for `annotate`.

Writes `*_desc-translated_ct.nii.gz` (Hounsfield units, on the scan's grid) and `*_desc-subregion_dseg.nii.gz` to the
settings' output folder, and `failures.csv`. Finished scans are kept while scan, networks and code stay the same. See
docs/translate.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from wirbel import __version__
from wirbel.io.atomic import sha256_of_file
from wirbel.io.dataset.bids import find_scans, write_dataset_description
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.maps.lookup_tables import write_lookups
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.settings_files import SettingsFileError
from wirbel.io.tabular.tables import write_rows
from wirbel.io.translation.outputs import KEY, SUBREGION, TOMOGRAM, TranslatedFiles
from wirbel.io.translation.settings import TranslateSettings, read_translate_settings
from wirbel.learning.translation.chain import TranslationChain
from wirbel.models.errors import ModelError
from wirbel.models.modality import need_tomography
from wirbel.models.provenance import provenance_entry
from wirbel.models.registry import Model, find_model
from wirbel.plan.code.codehash import stage_code_hash
from wirbel.runner.failures import machine_fault, scan_fault
from wirbel.runner.machine.locks import sole_writer

FAILURES = ("participant_id", "session_id", "scan_id", "reason", "detail")


class Translation:
    """One run: the networks, loaded when the first scan needs them, and what decides results."""

    def __init__(self, settings: TranslateSettings, device: str, threads: int) -> None:
        self.settings, self.device, self.threads = settings, device, threads
        named = {"translator": settings.translator, "semantic": settings.segmentation}
        self.models: dict[str, tuple[str, Model]] = {
            kind: (name, find_model(name, kind)) for kind, name in named.items() if name
        }
        if settings.segmentation:
            segmentation = self.models["semantic"][1]
            need_tomography(segmentation.folder, segmentation.config)
        self.kinds = (TOMOGRAM, SUBREGION) if settings.segmentation else (TOMOGRAM,)
        self.code = stage_code_hash("translate")
        self.chain: TranslationChain | None = None

    def scan(self, scan: FoundScan) -> str:
        """Translate one scan; return what became of it. Raises what its files are at fault for."""
        files = TranslatedFiles(Path(self.settings.output), scan)
        key = self._key(scan)
        if files.stand(key, self.kinds):
            return "kept"
        chain, name = self._loaded(), Path(scan.path).name
        tomogram = chain.tomogram(read_volume(scan.path), name)
        labels = chain.labels(tomogram, name) if self.settings.segmentation else None
        files.write(tomogram, labels, provenance_entry(self.models, n4=True) | {KEY: key})
        return "translated"

    def _key(self, scan: FoundScan) -> str:
        digests = {kind: model.sha256 for kind, (_, model) in self.models.items()}
        decides = {"scan": sha256_of_file(scan.path), "models": digests, "code": self.code}
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()

    def _loaded(self) -> TranslationChain:
        if self.chain is None:
            folders = [model.folder for _, model in self.models.values()]
            segmentation = folders[1] if len(folders) > 1 else None
            self.chain = TranslationChain(folders[0], segmentation, self.device, self.threads)
        return self.chain


def translate(settings: TranslateSettings, device: str = "auto", threads: int = 0) -> int:
    """Translate all scans and write the table of failures; return the exit code: 1 if none succeeded."""
    output, run = Path(settings.output), Translation(settings, device, threads)
    scans = find_scans(settings.images, settings.participants)
    if not scans:
        raise SettingsFileError(
            f"images {settings.images}: expected T2w scans (sub-*/[ses-*/]anat/*_T2w.nii.gz), found none"
        )
    _describe(output, settings)
    failures = []
    for number, scan in enumerate(scans, 1):
        outcome, failure = _outcome(run, scan)
        failures += [failure] if failure else []
        print(f"translate: {number} of {len(scans)}, {scan.scan_id}: {outcome}", flush=True)
    write_rows(output / "failures.csv", FAILURES, failures)
    print(f"translate: {len(scans) - len(failures)} of {len(scans)} scans in {output}")
    return int(len(failures) == len(scans))


def _describe(output: Path, settings: TranslateSettings) -> None:
    write_dataset_description(
        output,
        "Tomograms estimated from MR images",
        derivative_of="wirbel translate",
        version=__version__,
        links={"raw": Path(settings.images).resolve().as_uri()},
        ignored=("*.csv", "*_ct.nii.gz", "*_ct.json"),  # BIDS has no suffix for tomograms yet
    )
    write_lookups(output)


def _outcome(run: Translation, scan: FoundScan) -> tuple[str, dict[str, Any] | None]:
    """Return in words what became of a scan, and its row of the table of failures."""
    try:
        return run.scan(scan), None
    except ModelError:
        raise
    except Exception as error:
        if machine_fault(error):
            raise
        reason, detail = scan_fault(error)
    values = (scan.participant_id, scan.session_id, scan.scan_id, reason, detail)
    return f"failed ({reason}): {detail}", dict(zip(FAILURES, values, strict=True))


def main(argv: list[str] | None = None) -> int:
    """Translate; return the exit code."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.translate", description=__doc__)
    parser.add_argument(
        "--settings", type=Path, required=True, help="such as config/translate.yaml"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0: all")
    args = parser.parse_args(argv)
    try:
        settings = read_translate_settings(args.settings)
        output = Path(settings.output)
        output.mkdir(parents=True, exist_ok=True)
        with sole_writer(output / ".translate.lock", output, print):
            return translate(settings, args.device, args.threads)
    except (SettingsFileError, ModelError) as error:
        print(f"translate: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
