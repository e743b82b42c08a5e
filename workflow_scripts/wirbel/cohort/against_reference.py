"""An output folder against reference label maps and measures: rows of every scan, and how many were compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wirbel.core.evaluation import figures
from wirbel.core.evaluation.compared_measures import MEASURES
from wirbel.core.evaluation.scan_rows import Comparison, Rows
from wirbel.core.geometry import Volume
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.references.reference import REFERENCE_NAMES, Reference, on_grid_of, rows_by_scan
from wirbel.manifests.batches import Scan, StageFolders, batch_file, list_batches, read_batch

TABLES = ("structures", "instances", "panoptic", "measures")


@dataclass
class Compared:
    """One output folder against the reference: rows of all tables, and how many scans were compared."""

    rows: Rows
    counts: dict[str, int]


def compare_folder(output_dir: Path, reference: Reference, how: Comparison) -> Compared:
    """Return the rows of all tables for one output folder, and how many scans were compared."""
    cohort = {t: output_dir / "cohort" / f"{t}.csv" for t in MEASURES}
    measured = {t: rows_by_scan(path) if path.exists() else {} for t, path in cohort.items()}
    rows: Rows = {table: [] for table in TABLES}
    names = ("compared", "without_result", "without_reference")
    counts = {f"scans_{name}": 0 for name in names}
    scans = listed_scans(output_dir)
    if reference.scheme is None:
        counts["references_not_listed"] = len(reference.scan_ids - {s.scan_id for s in scans})
    for scan in scans:
        results = results_of(scan, StageFolders(output_dir))
        found = evaluate_scan(scan.scan_id, results, reference, how)
        if found is None:
            counts["scans_without_reference"] += 1
            continue
        counts["scans_compared"] += 1
        counts["scans_without_result"] += results[0] is None
        if reference.scheme is None:
            found["measures"] = measures_of(scan.scan_id, reference, measured, found["instances"])
        for table, new in found.items():
            rows[table] += new
    return Compared(rows, counts)


def evaluate_scan(
    scan_id: str, results: list[Volume | None], reference: Reference, how: Comparison
) -> Rows | None:
    """Return the rows of one scan; None when it has no reference."""
    subregion, vertebra = results
    if reference.scheme is not None:
        theirs = reference.foreign_map(scan_id, subregion)
        if theirs is None:
            return None
        moved = [None if one is None else on_grid_of(theirs, one) for one in results]
        return how.foreign_rows(scan_id, theirs, reference.scheme, (moved[0], moved[1]))
    maps = [reference.map(scan_id, k, r) for k, r in zip(REFERENCE_NAMES, results, strict=True)]
    if maps == [None, None]:
        return None
    return how.rows(scan_id, (maps[0], maps[1]), (subregion, vertebra))


def results_of(scan: Scan, folders: StageFolders) -> list[Volume | None]:
    """Return the final subregion and vertebra map of a scan; None for both unless both are there."""
    stem = folders.anat(scan) / scan.scan_id
    paths = [Path(f"{stem}_desc-{kind}_dseg.nii.gz") for kind in REFERENCE_NAMES]
    there = all(path.exists() for path in paths)
    return [read_volume(path) if there else None for path in paths]


def listed_scans(output_dir: Path) -> list[Scan]:
    """Return the scans of all batches."""
    lists = (read_batch(batch_file(output_dir, batch)) for batch in list_batches(output_dir))
    return [scan for scans in lists for scan in scans]


def scans_of(output_dir: Path) -> dict[str, tuple[str, str, Path]]:
    """Return scan -> (participant, session, file) of all batches."""
    scans = listed_scans(output_dir)
    return {s.scan_id: (s.participant_id, s.session_id, s.path) for s in scans}


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
        for row in figures.measure_rows(
            scan_id,
            table,
            reference.rows(table, scan_id),
            measured[table].get(scan_id, []),
            numbers,
        )
    ]
