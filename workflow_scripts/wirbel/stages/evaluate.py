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
from pathlib import Path
from typing import Any

from wirbel.cohort.against_reference import Compared, compare_folder, scans_of
from wirbel.core.evaluation.compared_measures import MEASURES
from wirbel.core.evaluation.figures import summarise
from wirbel.core.evaluation.groups import group_means, groups_of, level_means
from wirbel.core.evaluation.metrics.surfaces import TOLERANCE_MM
from wirbel.core.evaluation.paper_table import PaperTable, model_differences, paper_table
from wirbel.core.evaluation.published import PUBLISHED
from wirbel.core.evaluation.scan_rows import SHOWN, Comparison, Rows
from wirbel.io.foreign.label_schemes import read_scheme
from wirbel.io.references.columns import UnknownColumnError, cells_of
from wirbel.io.references.reference import Reference
from wirbel.report.evaluation.files import write_all
from wirbel.report.evaluation.text import summary_text

__all__ = ["UnknownColumnError", "evaluate", "main"]

LEVEL = "level"


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


def summary_of(mine: Compared, how: Comparison, *, targets: bool) -> dict[str, Any]:
    """Return what summary.json holds."""
    tables = (mine.rows["structures"], mine.rows["instances"], mine.rows["measures"])
    summary: dict[str, Any] = dict(mine.counts) | {"nsd_tolerance_mm": how.tolerance_mm}
    summary["figures"] = summarise(*tables, targets=targets)
    if mine.rows.get("comparison"):
        summary["comparison"] = mine.rows["comparison"]
    return summary


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
    print(summary_text(*evaluate(parser.parse_args(argv))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
