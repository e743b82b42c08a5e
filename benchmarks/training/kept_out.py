"""Semantic networks on cases that a training kept out: Dice of each structure on the model grid.

    .venv/bin/python benchmarks/training/kept_out.py TRAINING_FOLDER MODEL [MODEL ...] [--processes 2]

Prints a column for each model folder. The training folder is one that `wirbel train` has filled; its `splits.tsv`
says who was kept out. Simulated cases are scored structure by structure, real ones by the three groups that their
labels always tell: vertebra with its posterior parts, disc, canal with the cord.
"""

from __future__ import annotations

import argparse
import csv
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from wirbel.core.labels import (
    BODY_BORDER,
    CANAL,
    CORD,
    DISC,
    SUBREGION_NAMES,
    VERTEBRA_SUBREGIONS,
)
from wirbel.io.sidecars import read_json
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.learning.semantic.semantic_plans import class_of_label
from wirbel.learning.training.mixture import stored_targets
from wirbel.learning.training.training_cases import TrainingFolder

STRUCTURES = {name: (label,) for label, name in SUBREGION_NAMES.items() if label != BODY_BORDER}
GROUPS = {"vertebra": VERTEBRA_SUBREGIONS, "disc": (DISC,), "canal and cord": (CANAL, CORD)}


def main(argv: list[str] | None = None) -> int:
    """Score every model on every kept-out case; print means over cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rows", type=Path, help="CSV of every single score")
    args = parser.parse_args(argv)
    tasks = [(args.folder, model, name) for model in args.models for name in kept_out(args.folder)]
    with get_context("spawn").Pool(args.processes) as pool:
        rows = pd.DataFrame([row for rows in pool.starmap(scores, tasks) for row in rows])
    if args.rows:
        rows.to_csv(args.rows, index=False)
    means = rows.groupby(["kind", "structure", "model"], sort=False)["dice"].mean()
    print(means.unstack().round(4).to_string())
    return 0


def kept_out(folder: Path) -> list[str]:
    """Return the names of the kept-out cases."""
    cases = TrainingFolder(folder)
    with (folder / "splits.tsv").open(encoding="utf-8") as file:
        people = {
            row["participant_id"]
            for row in csv.DictReader(file, delimiter="\t")
            if row["used_for"] == "validation"
        }
    names = [*cases.case_names(), *cases.partial_names()]
    return [name for name in names if name.rpartition("_")[2] in people]


def scores(folder: Path, model: Path, name: str) -> list[dict]:
    """Return one row for each structure that a case shows."""
    cases = TrainingFolder(folder)
    real = (cases.partial / f"{name}.npz").exists()
    case = np.load((cases.partial if real else cases.cases) / f"{name}.npz")
    network = SemanticModel(model, "cpu", threads=1)
    found = as_classes(network.segment(network.normalise(case["image"]), case["image"].shape))
    if real:
        allowed = stored_targets(read_json(cases.mixture)).table()[case["target"]]
    else:
        allowed = np.eye(len(set(class_of_label().values())) + 1, dtype=bool)[
            as_classes(case["subregion"])
        ]
    rows = []
    for structure, labels in (GROUPS if real else STRUCTURES).items():
        classes = sorted({class_of_label()[label] for label in labels})
        true = ~np.delete(allowed, classes, axis=-1).any(-1)
        if true.any():
            score = dice(np.isin(found, classes), true)
            rows.append(
                {"model": str(model), "case": name, "kind": "real" if real else "simulated"}
                | {"structure": structure, "dice": score}
            )
    return rows


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Dice of two masks."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def as_classes(labels: np.ndarray) -> np.ndarray:
    """Return the class of every voxel of a subregion map."""
    table = np.zeros(256, np.uint8)
    for label, number in class_of_label().items():
        table[label] = number
    return table[labels]


if __name__ == "__main__":
    raise SystemExit(main())
