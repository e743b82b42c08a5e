"""Fuse several segmentations of each scan into one annotation, and say which scans are most worth a correction.

Writes to the settings' output folder: fused maps and disagreement maps as BIDS derivatives, `training/` with one map
per scan to train with, `agreement.csv`, `to_correct.csv` and `failures.csv`. Finished scans are kept while their
sources, settings and code stay the same. Readers' corrections are used and never overwritten. See docs/annotate.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from wirbel import __version__
from wirbel.core.fusion.agreement import worth_correcting
from wirbel.core.fusion.combining import Ways
from wirbel.core.fusion.fuse import Fused, fuse
from wirbel.core.label_schemes import UnknownLabelError
from wirbel.io.annotation.inputs import digests_of, files_of, read_source
from wirbel.io.annotation.outputs import Outputs, write_fused
from wirbel.io.annotation.settings import (
    AnnotateSettings,
    AnnotateSettingsError,
    read_annotate_settings,
)
from wirbel.io.atomic import sha256_of_file
from wirbel.io.dataset.bids import find_scans, write_dataset_description
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.maps.final_maps import raw_uri, write_lookups
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.tabular.tables import write_rows
from wirbel.plan.code.codehash import stage_code_hash
from wirbel.runner.failures import machine_fault, scan_fault
from wirbel.runner.machine.locks import sole_writer
from wirbel.runner.machine.process import end_with

Result = dict[str, Any]
AGREEMENT = ("scan_id", "structure", "source", "dice", "undecided", "sources")
TO_CORRECT = ("rank", "scan_id", "agreement", "worst_structure", "worst_dice", "corrected")
FAILURES = ("scan_id", "reason", "detail")
NOT_IN_KEY = ("images", "output", "participants", "corrections", "sources")
"""Settings that do not decide a scan's result, or are in its key by the files that they lead to."""


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
    described = [
        {
            "Name": one.name,
            "Scheme": one.scheme,
            "Trust": dict(one.trust),
            "Sha256": digests[one.name],
        }
        | {"Files": {kind: path.name for kind, path in files[one.name].items()}}
        | ({"Alignment": moved} if moved else {})
        for one, (_, moved) in zip(chosen, read, strict=True)
    ]
    provenance = provenance_of(scan, settings, fused, described) | {"Key": key}
    write_fused(outputs, fused, provenance, correction)
    return {"scan_id": scan.scan_id, "rows": fused.rows, "corrected": corrected, "kept": False}


def key_of(
    settings: AnnotateSettings,
    digests: dict[str, dict[str, str]],
    scan: FoundScan,
    correction: Path | None,
    code: str,
) -> str:
    """Return a hash of all that decides a scan's result."""
    decides = {name: value for name, value in asdict(settings).items() if name not in NOT_IN_KEY}
    decides["sources"] = [
        {"name": one.name, "scheme": one.scheme, "trust": dict(one.trust), "align": one.align}
        for one in settings.sources
        if one.name in digests
    ]
    decides |= {"digests": digests, "scan": sha256_of_file(scan.path), "code": code}
    decides["correction"] = None if correction is None else sha256_of_file(correction)
    text = json.dumps(decides, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def provenance_of(
    scan: FoundScan, settings: AnnotateSettings, fused: Fused, described: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the entries of a scan's sidecars."""
    return {
        "Sources": [raw_uri(scan.participant_id, scan.session_id, scan.path)],
        "FusedFrom": described,
        "Method": settings.method,
        "MethodsByStructure": dict(settings.methods),
        "LeastAgreement": settings.least_agreement,
        "BrokenRulesVoxels": fused.broken,
        "Levels": fused.levels,
        "Agreement": fused.rows,
    }


def write_tables(output: Path, results: list[Result]) -> None:
    """Write the tables of all scans."""
    good = [result for result in results if "failure" not in result]
    rows = [{"scan_id": r["scan_id"], **row} for r in good for row in r["rows"]]
    corrected = {result["scan_id"]: result["corrected"] for result in good}
    failures = [
        {"scan_id": r["scan_id"], "reason": r["failure"][0], "detail": r["failure"][1]}
        for r in results
        if "failure" in r
    ]
    write_rows(output / "agreement.csv", AGREEMENT, map(_cells, rows))
    write_rows(
        output / "to_correct.csv", TO_CORRECT, map(_cells, worth_correcting(rows, corrected))
    )
    write_rows(output / "failures.csv", FAILURES, failures)


def _mapped(work: Any, scans: list[FoundScan], processes: int) -> Iterator[Result]:
    if processes <= 1 or len(scans) == 1:
        yield from map(work, scans)
        return
    number = min(processes, len(scans))
    with ProcessPoolExecutor(number, initializer=end_with, initargs=(os.getpid(),)) as pool:
        yield from pool.map(work, scans)


def _told(results: Iterable[Result], total: int) -> Iterator[Result]:
    for number, result in enumerate(results, 1):
        said = (
            "kept"
            if result.get("kept")
            else "corrected by a reader"
            if result.get("corrected")
            else "fused"
        )
        if "failure" in result:
            said = f"failed ({result['failure'][0]}): {result['failure'][1]}"
        print(f"annotate: {number} of {total}, {result['scan_id']}: {said}", flush=True)
        yield result


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: round(v, 4) if isinstance(v, float) else v for name, v in row.items()}
    return {name: str(v).lower() if isinstance(v, bool) else v for name, v in told.items()}


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
