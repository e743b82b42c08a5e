"""An evaluation for the terminal: its summary and its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wirbel.core.evaluation.paper_table import METRICS, PaperTable

PRINTED = ("dice", "assd_mm", "pq")
"""Metrics whose differences are printed; `comparison.csv` has all."""


def summary_text(summary: Mapping[str, Any], table: PaperTable) -> str:
    """Return a summary, its figures with their targets, the table, and the differences between models, if any."""
    told = (name for name in summary if name not in ("figures", "comparison"))
    lines = [f"{name}: {summary[name]}" for name in told]
    for name, figure in summary["figures"].items():
        verdict = {True: "reached", False: "MISSED", None: ""}[figure.get("reached")]
        target = f"target {figure['target']} {verdict}" if "target" in figure else ""
        lines.append(f"{name:<55} {figure['value']:>9}  n={figure['count']:<6} {target}".rstrip())
    lines.append(f"\n{as_text(table)}")
    shown = (row for row in summary.get("comparison", []) if row["metric"] in PRINTED)
    for row in shown:
        p = "" if row["wilcoxon_p"] is None else f"  p={row['wilcoxon_p']:.2g}"
        lines.append(
            f"{row['structure']:<34} {row['metric']:<8} {row['mean']:.4f} against {row['other_mean']:.4f} "
            f"({row['other']}): {row['difference']:+.4f} "
            f"[{row['difference_low']:+.4f}, {row['difference_high']:+.4f}]  n={row['scans']}{p}"
        )
    return "\n".join(lines)


def as_text(table: PaperTable) -> str:
    """Return the table in columns of equal width, a block for each metric."""
    names = [row.structure.replace("_", " ") for row in table.rows]
    first = max(map(len, names), default=0)
    columns = [
        max(
            [len(model)]
            + [
                len(cell.text(METRICS[row.metric].decimals))
                for row in table.rows
                if (cell := row.cells[place]) is not None
            ]
        )
        for place, model in enumerate(table.models)
    ]
    lines = [_line("", table.models, first, columns)]
    for metric, rows in table.blocks().items():
        lines += ["", METRICS[metric].title]
        for row in rows:
            cells = [
                "-" if cell is None else cell.text(METRICS[metric].decimals) for cell in row.cells
            ]
            lines.append(_line(row.structure.replace("_", " "), cells, first, columns))
    return "\n".join([*lines, *(f"\n{source}" for source in table.sources)])


def _line(name, cells, first: int, columns: list[int]) -> str:
    padded = (cell.rjust(width) for cell, width in zip(cells, columns, strict=True))
    return "  ".join([name.ljust(first), *padded]).rstrip()
