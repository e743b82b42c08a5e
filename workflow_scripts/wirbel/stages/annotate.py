"""Fuse several segmentations of each scan into one annotation, and say which scans are most worth a correction.

Writes to the settings' output folder: fused maps and disagreement maps as BIDS derivatives, `training/` with one map
per scan to train with, `agreement.csv`, `to_correct.csv` and `failures.csv`. Finished scans are kept while their
sources, settings and code stay the same. Readers' corrections are used and never overwritten. See docs/annotate.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from wirbel import __version__
from wirbel.core.fusion.combining import Ways
from wirbel.core.fusion.fuse import fuse
from wirbel.core.label_schemes import UnknownLabelError
from wirbel.io.annotation.inputs import digests_of, files_of, read_source
from wirbel.io.annotation.outputs import Outputs, write_fused
from wirbel.io.annotation.provenance import described, key_of, provenance_of
from wirbel.io.annotation.settings import (
    AnnotateSettings,
    AnnotateSettingsError,
    read_annotate_settings,
)
from wirbel.io.annotation.tables import Result, write_tables
from wirbel.io.dataset.bids import find_scans, write_dataset_description
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.maps.lookup_tables import write_lookups
from wirbel.io.nifti.volumes import read_volume
from wirbel.plan.code.codehash import stage_code_hash
from wirbel.runner.failures import machine_fault, scan_fault
from wirbel.runner.machine.locks import sole_writer
from wirbel.runner.machine.process import end_with


def annotate(settings: AnnotateSettings, processes: int) -> list[Result]:
    """Annotate all scans, write the tables, and return what became of each scan."""
    output = Path(settings.output)
    scans = find_scans(settings.images, settings.participants)
    if not scans:
        raise AnnotateSettingsError(
            f"images {settings.images}: expected T2w scans (sub-*/[ses-*/]anat/*_T2w.nii.gz), found none"
        )
    write_dataset_description(
        output,
        "Fused annotations",
        derivative_of="wirbel annotate",
        version=__version__,
        links={"raw": Path(settings.images).resolve().as_uri()},
        ignored=("*.csv", "training", "corrections"),
    )
    write_lookups(output)
    work = partial(annotate_scan, settings=settings, code=stage_code_hash("annotate"))
    results = list(_told(_mapped(work, scans, processes), len(scans)))
    write_tables(output, results)
    return results


def annotate_scan(scan: FoundScan, settings: AnnotateSettings, code: str) -> Result:
    """Annotate one scan; a fault of its files is returned, not raised."""
    try:
        return _annotated(scan, settings, code)
    except UnknownLabelError as error:
        return {"scan_id": scan.scan_id, "failure": ("bad_annotation", str(error))}
    except Exception as error:
        if machine_fault(error):
            raise
        return {"scan_id": scan.scan_id, "failure": scan_fault(error)}


def _annotated(scan: FoundScan, settings: AnnotateSettings, code: str) -> Result:
    outputs = Outputs(Path(settings.output), scan)
    files = files_of(settings, scan.scan_id)
    correction = outputs.correction(settings.corrections_folder)
    digests = digests_of(files)
    key = key_of(settings, digests, scan, correction, code)
    corrected = correction is not None
    if outputs.stands(key):
        rows = outputs.told()["Agreement"]
        return {"scan_id": scan.scan_id, "rows": rows, "corrected": corrected, "kept": True}
    image = read_volume(scan.path)
    chosen = [one for one in settings.sources if one.name in files]
    read = [read_source(one, files[one.name], image) for one in chosen]
    ways = Ways(settings.method, settings.methods_by_label, settings.least_agreement)
    fused = fuse([source for source, _ in read], image.grid, ways)
    sources = [
        described(one, files[one.name], digests[one.name], moved)
        for one, (_, moved) in zip(chosen, read, strict=True)
    ]
    provenance = provenance_of(scan, settings, fused, sources) | {"Key": key}
    write_fused(outputs, fused, provenance, correction)
    return {"scan_id": scan.scan_id, "rows": fused.rows, "corrected": corrected, "kept": False}


def _mapped(work: Any, scans: list[FoundScan], processes: int) -> Iterator[Result]:
    if processes <= 1 or len(scans) == 1:
        yield from map(work, scans)
        return
    number = min(processes, len(scans))
    with ProcessPoolExecutor(number, initializer=end_with, initargs=(os.getpid(),)) as pool:
        yield from pool.map(work, scans)


def _told(results: Iterable[Result], total: int) -> Iterator[Result]:
    for number, result in enumerate(results, 1):
        print(f"annotate: {number} of {total}, {result['scan_id']}: {_outcome(result)}", flush=True)
        yield result


def _outcome(result: Result) -> str:
    if "failure" in result:
        return "failed ({}): {}".format(*result["failure"])
    if result["kept"]:
        return "kept"
    return "corrected by a reader" if result["corrected"] else "fused"


def main(argv: list[str] | None = None) -> int:
    """Annotate; return the exit code: 1 if no scan could be annotated."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.annotate", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="such as config/annotate.yaml")
    parser.add_argument("--processes", type=int, default=1, help="scans fused at the same time")
    args = parser.parse_args(argv)
    try:
        settings = read_annotate_settings(args.settings)
        output = Path(settings.output)
        output.mkdir(parents=True, exist_ok=True)
        with sole_writer(output / ".annotate.lock", output, print):
            results = annotate(settings, args.processes)
    except AnnotateSettingsError as error:
        print(f"annotate: {error}", file=sys.stderr)
        return 1
    failed = [result for result in results if "failure" in result]
    print(f"annotate: {len(results) - len(failed)} of {len(results)} scans in {output}")
    print(f"annotate: correct these first: {output / 'to_correct.csv'}")
    return int(len(failed) == len(results))


if __name__ == "__main__":
    sys.exit(main())
