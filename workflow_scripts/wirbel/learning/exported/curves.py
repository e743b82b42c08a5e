"""The course of a training for people: `losses.tsv` as a table with commas and as a plot."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from wirbel.io.atomic import atomic_path, write_text

CSV_NAME = "curves.csv"
PNG_NAME = "curves.png"
NOT_DRAWN = ("epoch", "step", "minutes", "learning_rate")
SCORES = {"dice": "Dice", "error": "error", "accuracy": "accuracy and F1", "f1": "accuracy and F1"}
"""How the names of figures that are no losses start -> what is measured."""
PIXELS_PER_INCH = 100


def write_curves(losses: Path, target: Path) -> None:
    """Write `curves.csv` and `curves.png` from a training's `losses.tsv`.

    The plot has the losses above and every Dice, error or accuracy below, over epochs or steps.

    Parameters
    ----------
    losses : Path
        Table with a row for each epoch (semantic network) or report (instance network).
    target : Path
        Folder to write to.
    """
    with losses.open(encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file, delimiter="\t")
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([heading, *rows])
    write_text(target / CSV_NAME, text.getvalue())
    columns = {name: [float(row[place]) for row in rows] for place, name in enumerate(heading)}
    with atomic_path(target / PNG_NAME) as temporary:
        _draw(heading[0], columns, temporary)


def _draw(clock: str, columns: dict[str, list[float]], path: Path) -> None:
    from matplotlib.figure import Figure  # takes half a second to import

    drawn = [name for name in columns if name not in NOT_DRAWN]
    figure = Figure(figsize=(7, 6), dpi=PIXELS_PER_INCH, layout="constrained")
    losses, scores = figure.subplots(2, 1, sharex=True)
    for name in drawn:
        axes = scores if name.startswith(tuple(SCORES)) else losses
        axes.plot(columns[clock], columns[name], marker=".", label=name.replace("_", " "))
    named = (word for start, word in SCORES.items() for name in drawn if name.startswith(start))
    measured = next(named, "Dice")
    for axes, title in ((losses, "loss"), (scores, f"{measured} of kept-out scans")):
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
        axes.legend()
    scores.set_xlabel(clock)
    figure.savefig(path, format="png", metadata={"Software": None})
