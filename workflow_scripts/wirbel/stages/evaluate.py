"""Compare an output folder with known label maps and measures.

The reference is either the truth of a simulated cohort (`bids_dir/derivatives/truth`: label maps and
tables), or a folder with experts' label maps, which may be incomplete. Writes
`evaluation/{structures,instances,comparison,measures}.csv` and `evaluation/summary.json` to the output folder.

With a label scheme the reference is a folder of other people's label maps, one per scan, and only structures are
compared.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.core.evaluation import figures as evaluation
from wirbel.core.evaluation.compared_measures import MEASURES
from wirbel.core.evaluation.partial import compare_models, partial_rows
from wirbel.core.geometry import Volume, reorient, resample_labels
from wirbel.core.label_schemes import LabelScheme, UnknownLabelError
from wirbel.io.atomic import replaced_together, sweep_temporaries
from wirbel.io.foreign.label_schemes import read_scheme
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.sidecars import write_json
from wirbel.io.tabular.tables import read_table, write_rows
from wirbel.manifests.batches import Scan, StageFolders, batch_file, list_batches, read_batch

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
    "comparison": (
        "structure",
        "scans",
        "dice",
        "other_dice",
        "difference",
        "difference_low",
        "difference_high",
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

    def __init__(self, folder: Path, scheme: LabelScheme | None = None) -> None:
        if not folder.is_dir():
            raise FileNotFoundError(f"no reference folder {folder}")
        self.scheme = scheme
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
        return volume if _same_grid(volume, like) else resample_labels(volume, like.grid)

    def foreign_map(self, scan_id: str, like: Volume | None) -> Volume | None:
        """Return the map, in the reference's own numbers, whose file is named after a scan; None without one."""
        named = [
            path
            for name, path in self._files.items()
            if name == scan_id or name.startswith(scan_id + "_")
        ]
        if not named:
            return None
        if len(named) > 1:
            raise UnknownLabelError(
                f"expected one label map {scan_id}_*.nii.gz in the reference, found "
                f"{', '.join(path.name for path in named[:3])}; keep one of them"
            )
        volume = read_volume(named[0])
        return volume if like is None else reorient(volume, like.axes)

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
    if reference.scheme is not None:
        return partial_scan(scan, reference, reference.scheme, results, args)
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
        rows["instances"] = _instances(scan, true_vertebra, vertebra, subregion or vertebra, args)
    return rows if any(rows.values()) else None


def _instances(
    scan: Scan, reference: Volume, vertebra: Volume, subregion: Volume, args: argparse.Namespace
) -> list[dict]:
    predicted = vertebra.data
    if args.shows == "bodies":
        reference, predicted = evaluation.restrict_to_bodies(reference, predicted, subregion.data)
    complete = args.shows == "all"
    return evaluation.instance_rows(scan.scan_id, reference, predicted, complete_reference=complete)


def partial_scan(
    scan: Scan,
    reference: Reference,
    scheme: LabelScheme,
    results: Sequence[Volume | None],
    args: argparse.Namespace,
) -> dict[str, list[dict]] | None:
    """Return the rows of one scan whose reference has numbers of its own, on the reference's grid."""
    theirs = reference.foreign_map(scan.scan_id, results[0])
    if theirs is None:
        return None
    subregion, vertebra = (_on_grid_of(theirs, result) for result in results)
    rows: dict[str, list[dict]] = {table: [] for table in COLUMNS}
    rows["structures"] = partial_rows(scan.scan_id, theirs.data, scheme, subregion.data)
    if scheme.vertebrae:
        numbered = theirs.with_data(scheme.vertebra_map(theirs.data))
        rows["instances"] = _instances(scan, numbered, vertebra, subregion, args)
    return rows


def _on_grid_of(reference: Volume, result: Volume | None) -> Volume:
    """Return a result on the grid of a reference; an empty map where there is no result."""
    if result is None:
        return reference.with_data(np.zeros(reference.data.shape, np.uint8))
    result = reorient(result, reference.axes)
    return result if _same_grid(reference, result) else resample_labels(result, reference.grid)


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


def _same_grid(one: Volume, other: Volume) -> bool:
    return one.data.shape == other.data.shape and abs(one.affine - other.affine).max() < 1e-2


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
    reference = Reference(args.reference, read_scheme(args.scheme) if args.scheme else None)
    rows, counts = compare_folder(args.output_dir, reference, args)
    if args.compare:
        others, _ = compare_folder(args.compare, reference, args)
        rows["comparison"] = compare_models(
            rows["structures"], others["structures"], participants_of(args.output_dir)
        )
    summary: dict[str, Any] = dict(counts)
    tables = (rows["structures"], rows["instances"], rows["measures"])
    summary["figures"] = evaluation.summarise(*tables, targets=not args.scheme)
    if args.compare:
        summary["comparison"] = rows["comparison"]
    sweep_temporaries(args.output_dir / "evaluation")
    with replaced_together(args.output_dir / "evaluation") as folder:
        for table, columns in COLUMNS.items():
            write_rows(folder / f"{table}.csv", columns, map(_rounded, rows[table]))
        write_json(folder / "summary.json", summary)
    return summary


def participants_of(output_dir: Path) -> dict[str, str]:
    """Return scan -> participant of all batches."""
    lists = (read_batch(batch_file(output_dir, batch)) for batch in list_batches(output_dir))
    return {scan.scan_id: scan.participant_id for scans in lists for scan in scans}


def compare_folder(
    output_dir: Path, reference: Reference, args: argparse.Namespace
) -> tuple[dict[str, list[dict]], dict[str, int]]:
    """Return the rows of all tables for one output folder, and how many scans were compared."""
    folders = StageFolders(output_dir)
    cohort = {t: output_dir / "cohort" / f"{t}.csv" for t in MEASURES}
    measured = {t: _by_scan(path) if path.exists() else {} for t, path in cohort.items()}
    rows: dict[str, list[dict]] = {table: [] for table in COLUMNS}
    names = ("compared", "without_result", "without_reference")
    counts = {f"scans_{name}": 0 for name in names}
    if reference.scheme is None:
        counts["references_not_listed"] = len(reference.scan_ids - listed_scans(output_dir))
    for batch in list_batches(output_dir):
        for scan in read_batch(batch_file(output_dir, batch)):
            found = evaluate_scan(scan, folders, reference, args)
            if found is None:
                counts["scans_without_reference"] += 1
                continue
            counts["scans_compared"] += 1
            counts["scans_without_result"] += not has_result(map_paths(scan, folders))
            if reference.scheme is None:
                found["measures"] = measures_of(
                    scan.scan_id, reference, measured, found["instances"]
                )
            for table, new in found.items():
                rows[table] += new
    return rows, counts


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
        if name not in ("figures", "comparison"):
            print(f"{name}: {value}")
    for name, figure in summary["figures"].items():
        verdict = {True: "reached", False: "MISSED", None: ""}[figure.get("reached")]
        target = f"target {figure['target']} {verdict}" if "target" in figure else ""
        print(f"{name:<55} {figure['value']:>9}  n={figure['count']:<6} {target}".rstrip())

    for row in summary.get("comparison", []):
        print(
            f"{row['structure']:<34} {row['dice']:.4f} against {row['other_dice']:.4f}: {row['difference']:+.4f} "
            f"[{row['difference_low']:+.4f}, {row['difference_high']:+.4f}]  n={row['scans']}"
        )


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
    parser.add_argument(
        "--scheme", default="", help="label scheme of the reference (config/schemes, or a file)"
    )
    parser.add_argument(
        "--compare", type=Path, help="output folder of another model on the same scans"
    )
    _print(evaluate(parser.parse_args(argv)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
