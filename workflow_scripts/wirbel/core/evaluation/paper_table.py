"""The table of an evaluation as papers print it: structures as rows, a block for each metric, models as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wirbel.core.evaluation.comparing import compare_models, means, over_structures
from wirbel.core.evaluation.instances import level_rows
from wirbel.core.evaluation.metrics.panoptic import PANOPTIC_METRICS
from wirbel.core.evaluation.metrics.surfaces import MASK_METRICS
from wirbel.core.evaluation.published import Published

Row = dict[str, Any]


@dataclass(frozen=True)
class Metric:
    """How a metric is printed: its title, whether more is better, and decimals."""

    title: str
    more_is_better: bool
    decimals: int = 3


METRICS: dict[str, Metric] = {
    "dice": Metric("Dice", True),
    "assd_mm": Metric("ASSD (mm)", False),
    "hd95_mm": Metric("HD95 (mm)", False),
    "nsd": Metric("NSD", True),
    "sq_dice": Metric("Instance Dice of matched instances (SQ, Dice)", True),
    "sq_assd_mm": Metric("Instance ASSD of matched instances (mm)", False),
    "rq": Metric("Recognition quality (RQ)", True),
    "sq": Metric("Segmentation quality (SQ, IoU)", True),
    "pq": Metric("Panoptic quality (PQ = RQ x SQ)", True),
    "pq_dice": Metric("Panoptic quality with Dice (RQ x SQ, Dice)", True),
    "level_right": Metric("Level named right", True),
}
"""Metric -> how it is printed, in the table's order."""


@dataclass(frozen=True)
class Cell:
    """A mean over scans, its 95 % confidence interval and how many scans it is of; without them for published ones."""

    mean: float
    low: float | None = None
    high: float | None = None
    scans: int | None = None
    wilcoxon_p: float | None = None

    def text(self, decimals: int) -> str:
        """Return the cell as it is printed.

        Examples
        --------
        >>> Cell(0.9334, 0.921, 0.9441).text(3), Cell(0.21).text(2)
        ('0.933 [0.921, 0.944]', '0.21')
        """
        if self.low is None or self.high is None:
            return f"{self.mean:.{decimals}f}"
        limits = ", ".join(f"{limit:.{decimals}f}" for limit in (self.low, self.high))
        return f"{self.mean:.{decimals}f} [{limits}]"


@dataclass(frozen=True)
class TableRow:
    """One structure's metric and a cell for each model; None where a model has no value."""

    metric: str
    structure: str
    cells: tuple[Cell | None, ...]

    @property
    def best(self) -> int | None:
        """The place of the best model; None if there is no other to compare with, or two are equal."""
        there = [(cell.mean, place) for place, cell in enumerate(self.cells) if cell is not None]
        if len(there) < 2:
            return None
        there.sort(reverse=METRICS[self.metric].more_is_better)
        return None if there[0][0] == there[1][0] else there[0][1]


@dataclass(frozen=True)
class PaperTable:
    """Names of the models and the rows, block by block."""

    models: tuple[str, ...]
    rows: tuple[TableRow, ...]
    sources: tuple[str, ...] = ()

    def blocks(self) -> dict[str, list[TableRow]]:
        """Return metric -> rows."""
        names = dict.fromkeys(row.metric for row in self.rows)
        return {name: [row for row in self.rows if row.metric == name] for name in names}


def paper_table(
    models: Mapping[str, Mapping[str, Sequence[Row]]],
    comparisons: Mapping[str, Iterable[Row]],
    participants: Mapping[str, str],
    published: Sequence[Published] = (),
) -> PaperTable:
    """Return the table of one or more models.

    Parameters
    ----------
    models : mapping of str to mapping
        Model -> its rows: `structures`, `panoptic` and `instances`.
    comparisons : mapping of str to iterable of dict
        Model -> rows of `compare_models` of the first model against it; their p values go into its cells.
    participants : mapping of str to str
        Scan -> participant.
    published : sequence of Published
        Further columns.
    """
    columns: list[dict[tuple[str, str], Cell]] = []
    for name, rows in models.items():
        tests = {(r["metric"], r["structure"]): r["wilcoxon_p"] for r in comparisons.get(name, ())}
        columns.append(_cells(rows, participants, tests))
    for one in published:
        columns.append({(metric, s): Cell(value) for (s, metric), value in one.values.items()})
    keys = dict.fromkeys(key for column in columns for key in column)
    ordered = sorted(keys, key=lambda key: list(METRICS).index(key[0]))
    return PaperTable(
        (*models, *(one.name for one in published)),
        tuple(TableRow(*key, tuple(column.get(key) for column in columns)) for key in ordered),
        tuple(dict.fromkeys(one.citation for one in published)),
    )


def scored_rows(rows: Mapping[str, Sequence[Row]]) -> list[tuple[Sequence[Row], tuple[str, ...]]]:
    """Return the rows of a model and the metrics that they have, with the mean over structures."""
    structures = list(rows["structures"])
    mean = over_structures(structures, MASK_METRICS)
    return [
        ([*structures, *mean], MASK_METRICS),
        (list(rows["panoptic"]), PANOPTIC_METRICS),
        (level_rows(list(rows["instances"])), ("level_right",)),
    ]


def model_differences(
    rows: Mapping[str, Sequence[Row]],
    others: Mapping[str, Sequence[Row]],
    participants: Mapping[str, str],
) -> list[Row]:
    """Return the comparison of two models in every metric of the table; see `compare_models`."""
    pairs = zip(scored_rows(rows), scored_rows(others), strict=True)
    return [
        row
        for (mine, metrics), (theirs, _) in pairs
        for row in compare_models(mine, theirs, participants, metrics)
    ]


def _cells(
    rows: Mapping[str, Sequence[Row]],
    participants: Mapping[str, str],
    tests: Mapping[tuple[str, str], float | None],
) -> dict[tuple[str, str], Cell]:
    cells = {}
    for scored, metrics in scored_rows(rows):
        for one in means(scored, metrics, participants):
            key = one["metric"], one["structure"]
            cells[key] = Cell(one["mean"], one["low"], one["high"], one["scored"], tests.get(key))
    return cells


def as_rows(table: PaperTable) -> list[Row]:
    """Return the table as rows for CSV: `metric`, `structure` and columns per model.

    A model's columns are its name (the mean) and `NAME low`, `NAME high`, `NAME scans`, `NAME wilcoxon p`.
    """
    found = []
    for row in table.rows:
        line: Row = {"metric": row.metric, "structure": row.structure}
        for name, cell in zip(table.models, row.cells, strict=True):
            if cell is not None:
                line |= {
                    name: cell.mean,
                    f"{name} low": cell.low,
                    f"{name} high": cell.high,
                    f"{name} scans": cell.scans,
                    f"{name} wilcoxon p": cell.wilcoxon_p,
                }
        found.append(line)
    return found
