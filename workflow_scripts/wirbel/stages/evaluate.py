"""Compare an output folder with known label maps and measures.

The reference is either the truth of a simulated cohort (`bids_dir/derivatives/truth`: label maps and
tables), or a folder with experts' label maps, which may be incomplete. Writes
`evaluation/{structures,instances,measures}.csv` and `evaluation/summary.json` to the output folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.core.evaluation import figures as evaluation
from wirbel.core.evaluation.compared_measures import MEASURES
from wirbel.core.geometry import Volume, reorient, resample_labels
from wirbel.io.atomic import replaced_together, sweep_temporaries
from wirbel.io.sidecars import write_json
from wirbel.io.tables import read_table, write_rows
from wirbel.io.volumes import read_volume
from wirbel.runner.manifests.batches import Scan, StageFolders, batch_file, list_batches, read_batch

REFERENCE_NAMES = {
    "subregion": ("_desc-subregion_dseg", "_subregions", "_subregion"),
    "vertebra": ("_desc-vertebra_dseg", "_vertebrae", "_vertebra"),
}
"""Map -> how a reference file's name may go on after the scan's name."""
COLUMNS = {
    "structures": ("scan_id", "structure", "dice"),
    "instances": (
        "scan_id",
        "reference_label",
        "reference_level",
        "predicted_label",
        "predicted_level",
        "dice",
        "surface_distance_mm",
        "found",
        "level_right",
        "invented",
        "at_border",
    ),
    "measures": (
        "scan_id",
        "level",
        "measure",
        "truth",
        "measured",
        "error_mm",
        "error_percent",
    ),
}
"""Table -> its columns. `error_mm` of a volume is in mm3, of an area in mm2, of an angle in degrees."""


class Reference:
    """A folder of reference label maps and, perhaps, tables of true measures."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FileNotFoundError(f"no reference folder {folder}")
        self._files = {path.name.split(".nii")[0]: path for path in sorted(folder.rglob("*.nii*"))}
        self._tables: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for table in MEASURES:
            path = folder / f"{table}.csv"
            if path.exists():
                self._tables[table] = _by_scan(path)

    def map(self, scan_id: str, kind: str, like: Volume | None) -> Volume | None:
        """Return a reference map in the storage order and on the grid of `like` (None: its own), or None."""
        names = (scan_id + ending for ending in REFERENCE_NAMES[kind])
        path = next((self._files[name] for name in names if name in self._files), None)
        if path is None:
            return None
        if like is None:
            return read_volume(path)
        volume = reorient(read_volume(path), like.axes)
        same = (
            volume.data.shape == like.data.shape and abs(volume.affine - like.affine).max() < 1e-2
        )
        return volume if same else resample_labels(volume, like.grid)

    @property
    def scan_ids(self) -> set[str]:
        """The scans that a reference map is there for."""
        endings = [ending for names in REFERENCE_NAMES.values() for ending in names]
        return {
            name.removesuffix(ending)
            for name in self._files
            for ending in endings
            if name.endswith(ending)
        }

    def rows(self, table: str, scan_id: str) -> list[dict[str, Any]]:
        """Return the true measures of one scan; empty without a table."""
        return self._tables.get(table, {}).get(scan_id, [])


def evaluate_scan(
    scan: Scan, folders: StageFolders, reference: Reference, args: argparse.Namespace
) -> dict[str, list[dict]] | None:
    """Return the rows of all tables for one scan; None when it has no reference.

    A scan without a result is compared with empty maps: all that it should show counts as missed.
    """
    paths = map_paths(scan, folders)
    results = list(map(read_volume, paths)) if has_result(paths) else [None, None]
    pairs = [
        _beside(reference.map(scan.scan_id, kind, result), result)
        for kind, result in zip(REFERENCE_NAMES, results, strict=True)
    ]
    (true_subregion, subregion), (true_vertebra, vertebra) = pairs
    rows: dict[str, list[dict]] = {table: [] for table in COLUMNS}
    if true_subregion is not None and subregion is not None:
        rows["structures"] = evaluation.structure_rows(
            scan.scan_id, true_subregion.data, subregion.data
        )
    if true_vertebra is not None and vertebra is not None:
        predicted = vertebra.data
        if subregion is None:
            subregion = vertebra
        if args.shows == "bodies":
            true_vertebra, predicted = evaluation.restrict_to_bodies(
                true_vertebra, predicted, subregion.data
            )
        rows["instances"] = evaluation.instance_rows(
            scan.scan_id,
            true_vertebra,
            predicted,
            complete_reference=args.shows == "all",
        )
    return rows if any(rows.values()) else None


def listed_scans(output_dir: Path) -> set[str]:
    """Return the scans of all batches."""
    lists = (read_batch(batch_file(output_dir, batch)) for batch in list_batches(output_dir))
    return {scan.scan_id for scans in lists for scan in scans}


def map_paths(scan: Scan, folders: StageFolders) -> list[Path]:
    """Return where the final subregion and vertebra map of a scan lie."""
    stem = folders.anat(scan) / scan.scan_id
    return [Path(f"{stem}_desc-{kind}_dseg.nii.gz") for kind in REFERENCE_NAMES]


def has_result(paths: list[Path]) -> bool:
    """Whether both final label maps of a scan are there."""
    return all(path.exists() for path in paths)


def _beside(reference: Volume | None, result: Volume | None) -> tuple[Volume | None, Volume | None]:
    """Return a reference map and the result beside it; an empty map where there is no result."""
    if result is None and reference is not None:
        result = reference.with_data(np.zeros_like(reference.data))
    return reference, result


def measures_of(
    scan_id: str, reference: Reference, measured: dict, instances: list[dict]
) -> list[dict]:
    """Return the errors of one scan's measures, its vertebrae matched by overlap.

    Where the reference has no vertebra map nothing can be matched, and only the table of scans is compared.
    """
    numbers = {
        row["reference_label"]: row["predicted_label"] for row in instances if row.get("found")
    }
    return [
        row
        for table in (MEASURES if instances else ("scans",))
        for row in evaluation.measure_rows(
            scan_id,
            table,
            reference.rows(table, scan_id),
            measured[table].get(scan_id, []),
            numbers,
        )
    ]


def evaluate(args: argparse.Namespace) -> dict[str, Any]:
    """Compare every scan, write the tables, and return the summary."""
    folders = StageFolders(args.output_dir)
    reference = Reference(args.reference)
    cohort = {t: args.output_dir / "cohort" / f"{t}.csv" for t in MEASURES}
    measured = {t: _by_scan(path) if path.exists() else {} for t, path in cohort.items()}
    rows: dict[str, list[dict]] = {table: [] for table in COLUMNS}
    names = ("compared", "without_result", "without_reference")
    counts = {f"scans_{name}": 0 for name in names}
    counts["references_not_listed"] = len(reference.scan_ids - listed_scans(args.output_dir))
    for batch in list_batches(args.output_dir):
        for scan in read_batch(batch_file(args.output_dir, batch)):
            found = evaluate_scan(scan, folders, reference, args)
            if found is None:
                counts["scans_without_reference"] += 1
                continue
            counts["scans_compared"] += 1
            counts["scans_without_result"] += not has_result(map_paths(scan, folders))
            found["measures"] = measures_of(scan.scan_id, reference, measured, found["instances"])
            for table, new in found.items():
                rows[table] += new
    summary = counts | {"figures": evaluation.summarise(*rows.values())}
    sweep_temporaries(args.output_dir / "evaluation")
    with replaced_together(args.output_dir / "evaluation") as folder:
        for table, columns in COLUMNS.items():
            write_rows(folder / f"{table}.csv", columns, map(_rounded, rows[table]))
        write_json(folder / "summary.json", summary)
    return summary


def _by_scan(path: Path) -> dict[str, list[dict[str, Any]]]:
    table = read_table(path)
    return {
        str(scan_id): rows.to_dict("records")
        for scan_id, rows in table.groupby("scan_id", sort=False)
    }


def _rounded(row: dict) -> dict:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}


def _print(summary: dict[str, Any]) -> None:
    for name, value in summary.items():
        if name != "figures":
            print(f"{name}: {value}")
    for name, figure in summary["figures"].items():
        verdict = {True: "reached", False: "MISSED", None: ""}[figure.get("reached")]
        target = f"target {figure['target']} {verdict}" if "target" in figure else ""
        print(f"{name:<55} {figure['value']:>9}  n={figure['count']:<6} {target}".rstrip())


def main(argv: list[str] | None = None) -> int:
    """Evaluate; return the exit code: 0, also where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output-dir", type=Path, required=True, help="the output folder")
    parser.add_argument(
        "--reference",
        type=Path,
        required=True,
        help="folder with reference label maps, such as bids_dir/derivatives/truth",
    )
    parser.add_argument(
        "--shows",
        choices=("all", "some", "bodies"),
        default="all",
        help="what the reference's vertebra maps show: all vertebrae of a scan, some of them, "
        "or the bodies of some",
    )
    _print(evaluate(parser.parse_args(argv)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
