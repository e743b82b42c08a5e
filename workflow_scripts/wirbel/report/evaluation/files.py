"""Write the folder `evaluation/`: rows of every scan, the table as papers have it, plots and a summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wirbel.core.evaluation.metrics.panoptic import PANOPTIC_METRICS
from wirbel.core.evaluation.metrics.surfaces import MASK_METRICS
from wirbel.core.evaluation.paper_table import PaperTable, as_rows
from wirbel.core.evaluation.scan_rows import Rows
from wirbel.io.atomic import replaced_together, sweep_temporaries, write_bytes, write_text
from wirbel.io.sidecars import write_json
from wirbel.io.tabular.tables import write_rows
from wirbel.report.evaluation.latex import as_latex
from wirbel.report.evaluation.page import as_page
from wirbel.report.evaluation.plots import box_plot

COLUMNS = {
    "structures": ("scan_id", "structure", *MASK_METRICS),
    "instances": (
        "scan_id",
        "reference_label",
        "reference_level",
        "predicted_label",
        "predicted_level",
        *MASK_METRICS,
        "found",
        "level_right",
        "invented",
        "at_border",
    ),
    "panoptic": (
        "scan_id",
        "structure",
        *("tp", "fp", "fn", *PANOPTIC_METRICS),
    ),
    "comparison": (
        "other",
        "structure",
        "metric",
        "scans",
        "participants",
        "mean",
        "other_mean",
        "difference",
        "difference_low",
        "difference_high",
        "wilcoxon_p",
    ),
    "by": (
        "column",
        "group",
        "structure",
        "metric",
        *("rows", "scored", "mean", "sd", "low", "high"),
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
PLOTTED = ("dice", "assd_mm")
DECIMALS = 4


def write_all(
    folder: Path, rows: Rows, models: Mapping[str, Rows], table: PaperTable, summary: dict[str, Any]
) -> None:
    """Write all files of an evaluation in place of the last one's."""
    sweep_temporaries(folder)
    plots = {
        f"{metric}.png": box_plot(metric, {name: one["structures"] for name, one in models.items()})
        for metric in PLOTTED
    }
    drawn = {name: content for name, content in plots.items() if content is not None}
    with replaced_together(folder) as new:
        for name, columns in COLUMNS.items():
            write_rows(new / f"{name}.csv", columns, map(_rounded, rows.get(name, ())))
        printed = as_rows(table)
        heads = dict.fromkeys(["metric", "structure", *(key for row in printed for key in row)])
        write_rows(new / "table.csv", list(heads), map(_rounded, printed))
        write_text(new / "table.tex", as_latex(table))
        write_text(new / "table.html", as_page(table, "Evaluation", _notes(summary), list(drawn)))
        for name, content in drawn.items():
            write_bytes(new / name, content)
        write_json(new / "summary.json", summary)


def _notes(summary: dict[str, Any]) -> list[str]:
    return [
        f"{summary['scans_compared']} scans compared, {summary['scans_without_result']} of them without a result, "
        "which counts as missed.",
        f"NSD at {summary['nsd_tolerance_mm']:g} mm; instances are matched at an IoU above 0.5.",
    ]


def _rounded(row: dict) -> dict:
    return {k: round(v, DECIMALS) if isinstance(v, float) else v for k, v in row.items()}
