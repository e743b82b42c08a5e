"""Measure every scan of a batch from its two final label maps and the scan itself."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wirbel.core.dictionary import clean_row
from wirbel.core.geometry import Volume
from wirbel.core.measures import Measurements, measure
from wirbel.core.plausibility.whole.check import ImplausibleResult, check_whole_result
from wirbel.errors import ScanError
from wirbel.io.measurements import write_measurements
from wirbel.io.sidecars import read_json
from wirbel.io.volumes import read_volume
from wirbel.runner.runner import Scan, StageFolders, add_runner_arguments, run_stage

NO_LEVELS = {"confidence": None, "method": "unknown", "agree": None, "flags": []}


class Features:
    """Final label maps -> `work/features/<scan_id>_features.json`."""

    name = "features"
    reads_scan = True

    def prepare(self) -> None:
        """Nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> tuple[Volume, Volume, Volume, dict]:
        """Read the scan and both label maps, and how the levels were named."""
        stem = f"{scan.scan_id}_desc"
        anat = folders.anat(scan)
        sidecar = anat / f"{stem}-vertebra_dseg.json"
        described = read_json(sidecar) if sidecar.exists() else {}
        subregion = read_volume(anat / f"{stem}-subregion_dseg.nii.gz")
        vertebra = read_volume(anat / f"{stem}-vertebra_dseg.nii.gz")
        return read_volume(scan.path), subregion, vertebra, NO_LEVELS | described.get("Levels", {})

    def compute(self, inputs: tuple[Volume, Volume, Volume, dict]) -> dict[str, Any]:
        """Return the rows of all four tables."""
        return measured_rows(*inputs)

    def save(self, scan: Scan, result: dict[str, Any], folders: StageFolders) -> list[Path]:
        """Write the rows as one JSON file."""
        path = folders.stage(self.name) / f"{scan.scan_id}_features.json"
        tables = dict(result)
        write_measurements(path, tables.pop("scan"), tables)
        return [path]


def measured_rows(
    image: Volume | None, subregion: Volume, vertebra: Volume, levels: dict[str, Any]
) -> dict[str, Any]:
    """Measure the maps and look at the result as a whole; return cleaned rows by table.

    Raises ScanError when the maps cannot be measured, or nothing of the result can be right.
    """
    try:
        measured = measure(image, subregion, vertebra)
        flags = check_whole_result(subregion, vertebra, measured.vertebrae)
    except ImplausibleResult as error:
        raise ScanError("implausible_result", str(error)) from error
    except ValueError as error:
        raise ScanError("bad_geometry", f"the label maps cannot be measured: {error}") from error
    return features(measured, levels, flags)


def features(measured: Measurements, levels: dict[str, Any], found: list[str]) -> dict[str, Any]:
    """Return cleaned rows by table.

    `levels` is the vertebra map's account of its level names, `found` are the flags of the whole result.
    """
    rows = asdict(measured)
    naming = {"level_confidence": levels["confidence"], "level_method": levels["method"]}
    flags = {"levels_agree": levels["agree"], "level_flags": ";".join(levels["flags"])}
    flags |= {"flags": ";".join(found)}
    scan = {"scan_status": "ok", **rows["scan"], **naming, **flags}
    lists = {
        table: [clean_row(table, row | naming) for row in rows[table]]
        for table in ("vertebrae", "discs", "levels")
    }
    return {"scan": clean_row("scans", scan), **lists}


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_runner_arguments(parser)
    args = parser.parse_args(argv)
    return run_stage(Features(), args, parameters={})


if __name__ == "__main__":
    raise SystemExit(main())
