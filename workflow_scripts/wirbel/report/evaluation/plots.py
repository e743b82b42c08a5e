"""Box plots of an evaluation: every structure, every model, every scan."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wirbel.core.evaluation.paper_table import METRICS

Row = dict[str, Any]
DPI = 120
COLOURS = ("#3b6fb6", "#d1772e", "#3f8f5b", "#8a5fa8", "#777777")
JITTER = 0.12
SEED = 7


def box_plot(metric: str, models: Mapping[str, Sequence[Row]]) -> bytes | None:
    """Return a PNG with a box per structure and model, scans as points; None if nobody has a value.

    The same rows give the same bytes.

    Parameters
    ----------
    metric : str
        A key of the rows, and of `METRICS`.
    models : mapping of str to sequence of dict
        Model -> rows with `structure` and values.
    """
    from matplotlib.figure import Figure  # takes half a second to import

    names = dict.fromkeys(row["structure"] for rows in models.values() for row in rows)
    structures = [
        name for name in names if any(_values(rows, name, metric) for rows in models.values())
    ]
    if not structures:
        return None
    figure = Figure(figsize=(8, 1.2 + 0.34 * len(structures) * len(models)), layout="constrained")
    axes = figure.subplots()
    for place, (model, rows) in enumerate(models.items()):
        _draw(axes, [_values(rows, s, metric) for s in structures], place, len(models), model)
    axes.set_yticks(range(len(structures)), [name.replace("_", " ") for name in structures])
    axes.invert_yaxis()
    axes.set_xlabel(METRICS[metric].title)
    axes.grid(axis="x", alpha=0.3)
    if len(models) > 1:
        axes.legend(loc="best", fontsize="small")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    return stream.getvalue()


def _draw(axes: Any, values: list[list[float]], place: int, models: int, name: str) -> None:
    width = 0.8 / models
    offset = (place - (models - 1) / 2) * width
    colour = COLOURS[place % len(COLOURS)]
    boxes = axes.boxplot(
        values,
        positions=np.arange(len(values)) + offset,
        widths=0.8 * width,
        orientation="horizontal",
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
    )
    for box in boxes["boxes"]:
        box.set(facecolor=colour, alpha=0.35)
    for line in boxes["medians"]:
        line.set(color=colour)
    boxes["boxes"][0].set_label(name)
    rng = np.random.default_rng(SEED)
    for row, points in enumerate(values):
        heights = row + offset + rng.uniform(-JITTER, JITTER, len(points)) * width
        axes.plot(points, heights, ".", color=colour, markersize=3, alpha=0.7)


def _values(rows: Sequence[Row], structure: str, metric: str) -> list[float]:
    return [
        row[metric] for row in rows if row["structure"] == structure and row.get(metric) is not None
    ]
