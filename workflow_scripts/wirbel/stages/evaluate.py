"""Compare an output folder with known label maps and measures.

The reference is either the truth of a simulated cohort (`bids_dir/derivatives/truth`: label maps and
tables), or a folder with experts' label maps, which may be incomplete. With a label scheme it is a folder of other
people's label maps (NIfTI or MetaImage), one per scan.

Writes `evaluation/` to the output folder: rows of every scan (`structures.csv`, `instances.csv`, `panoptic.csv`,
`measures.csv`), the table as papers have it (`table.csv`, `.tex`, `.html`), two models compared (`comparison.csv`),
groups of scans (`by.csv`), plots (`*.png`) and `summary.json`. What they mean: docs/evaluation.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wirbel.core.evaluation import figures as evaluation
from wirbel.core.evaluation.compared_measures import MEASURES
from wirbel.core.evaluation.groups import group_means, groups_of, level_means
from wirbel.core.evaluation.metrics.surfaces import TOLERANCE_MM
from wirbel.core.evaluation.paper_table import PaperTable, model_differences, paper_table
from wirbel.core.evaluation.published import PUBLISHED
from wirbel.core.evaluation.scan_rows import SHOWN, Comparison, Rows
from wirbel.core.geometry import Volume
from wirbel.io.foreign.label_schemes import read_scheme
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.references.columns import UnknownColumnError, cells_of
from wirbel.io.references.reference import REFERENCE_NAMES, Reference, on_grid_of, rows_by_scan
from wirbel.manifests.batches import Scan, StageFolders, batch_file, list_batches, read_batch
from wirbel.report.evaluation.files import write_all
from wirbel.report.evaluation.text import as_text

__all__ = ["UnknownColumnError", "evaluate", "main"]

LEVEL = "level"
PRINTED = ("dice", "assd_mm", "pq")
"""Metrics whose differences are printed; `comparison.csv` has all."""
TABLES = ("structures", "instances", "panoptic", "measures")


@dataclass
class Compared:
    """One output folder against the reference: rows of all tables, and how many scans were compared."""

    rows: Rows
    counts: dict[str, int]


def evaluate(args: argparse.Namespace) -> tuple[dict[str, Any], PaperTable]:
    """Compare every scan, write the tables, and return the summary and the table."""
    reference = Reference(
        args.reference, read_scheme(args.scheme) if args.scheme else None, MEASURES
    )
    how = Comparison(args.shows, args.tolerance_mm)
    folders = [args.output_dir, *args.compare]
    compared = [compare_folder(folder, reference, how) for folder in folders]
    models = {n: one.rows for n, one in zip(names_of(folders), compared, strict=True)}
    (_, mine), *others = models.items()
    scans = scans_of(args.output_dir)
    people = {scan: who for scan, (who, _, _) in scans.items()}
    differences = {name: model_differences(mine, rows, people) for name, rows in others}
    mine["comparison"] = [row | {"other": n} for n, rows in differences.items() for row in rows]
    mine["by"] = [row for column in args.by for row in _by(column, mine, scans, people, args)]
    table = paper_table(models, differences, people, PUBLISHED.get(args.published, ()))
    summary = summary_of(compared[0], how, targets=not args.scheme)
    write_all(args.output_dir / "evaluation", mine, models, table, summary)
    return summary, table


def names_of(folders: Sequence[Path]) -> list[str]:
    """Return how the models are called in tables: as much of their folders' paths as tells them apart."""
    parts = [folder.resolve().parts for folder in folders]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-length:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{one[-1]} ({place})" for place, one in enumerate(parts, start=1)]


def _by(
    column: str,
    rows: Rows,
    scans: Mapping[str, tuple[str, str, Path]],
    people: Mapping[str, str],
    args: argparse.Namespace,
) -> list[dict]:
    """Return the means of every group of a column; of the reference's levels for `level`."""
    if column == LEVEL:
        return level_means(rows["instances"], people)
    cells = cells_of(column, scans, args.output_dir, args.bids_dir)
    return group_means(column, rows, groups_of(cells), people)


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
        for row in evaluation.measure_rows(
            scan_id,
            table,
            reference.rows(table, scan_id),
            measured[table].get(scan_id, []),
            numbers,
        )
    ]


def summary_of(mine: Compared, how: Comparison, *, targets: bool) -> dict[str, Any]:
    """Return what summary.json holds."""
    tables = (mine.rows["structures"], mine.rows["instances"], mine.rows["measures"])
    summary: dict[str, Any] = dict(mine.counts) | {"nsd_tolerance_mm": how.tolerance_mm}
    summary["figures"] = evaluation.summarise(*tables, targets=targets)
    if mine.rows.get("comparison"):
        summary["comparison"] = mine.rows["comparison"]
    return summary


def _print(summary: dict[str, Any], table: PaperTable) -> None:
    for name, value in summary.items():
        if name not in ("figures", "comparison"):
            print(f"{name}: {value}")
    for name, figure in summary["figures"].items():
        verdict = {True: "reached", False: "MISSED", None: ""}[figure.get("reached")]
        target = f"target {figure['target']} {verdict}" if "target" in figure else ""
        print(f"{name:<55} {figure['value']:>9}  n={figure['count']:<6} {target}".rstrip())
    print(f"\n{as_text(table)}")
    shown = (row for row in summary.get("comparison", []) if row["metric"] in PRINTED)
    for row in shown:
        p = "" if row["wilcoxon_p"] is None else f"  p={row['wilcoxon_p']:.2g}"
        print(
            f"{row['structure']:<34} {row['metric']:<8} {row['mean']:.4f} against {row['other_mean']:.4f} "
            f"({row['other']}): {row['difference']:+.4f} "
            f"[{row['difference_low']:+.4f}, {row['difference_high']:+.4f}]  n={row['scans']}{p}"
        )


def main(argv: list[str] | None = None) -> int:
    """Evaluate; return the exit code: 0, also where a target is missed."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.evaluate", description=__doc__)
    parser.add_argument("--output-dir", type=Path, required=True, help="the output folder")
    parser.add_argument(
        "--reference",
        type=Path,
        required=True,
        help="folder with reference label maps, such as bids_dir/derivatives/truth",
    )
    parser.add_argument(
        "--shows",
        choices=SHOWN,
        default=SHOWN[0],
        help="what the reference's vertebra maps show: all vertebrae of a scan, some of them, "
        "or the bodies of some",
    )
    parser.add_argument(
        "--scheme", default="", help="label scheme of the reference (config/schemes, or a file)"
    )
    parser.add_argument(
        "--compare",
        type=Path,
        nargs="+",
        default=[],
        help="output folders of other models on the same scans",
    )
    parser.add_argument(
        "--by",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="part the scans by these columns: level, scanner, or one of participants.tsv or cohort/scans.csv",
    )
    parser.add_argument("--bids-dir", type=Path, help="the data set, for participants.tsv")
    parser.add_argument(
        "--tolerance-mm", type=float, default=TOLERANCE_MM, help="of the NSD; default: %(default)s"
    )
    parser.add_argument(
        "--published",
        default="",
        choices=("", *PUBLISHED),
        help="put published figures beside ours",
    )
    _print(*evaluate(parser.parse_args(argv)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
