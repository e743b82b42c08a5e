"""Shares of real scans in a training, compared side by side by cross-validation.

    .venv/bin/python benchmarks/training/mixtures.py SETTINGS FOLDER --shares 0 0.2 0.5 0.8 --folds 5

SETTINGS is a file as for `wirbel train`, with one entry in `real`; its `share`, `validation` and `folds` are
replaced. Every share but 0 is trained once for each fold, with the same cases, seed and steps, so each real scan is
scored by a network that did not see it. Share 0 is one training without real scans. All networks are scored on the
same simulated scans, too, which no training saw. What is done is not done again.

Scores of single scans go to FOLDER/scores.csv. Printed are means, and differences from the weights that the trainings
started from (`start`) and from share 0, with 95 % bootstrap confidence intervals over scans.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from kept_out import scores

from wirbel.learning.training.splits import SIMULATED

RESAMPLES = 10_000
START, WITHOUT = "start", "share 0"


def main(argv: list[str] | None = None) -> int:
    """Train, score, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("settings", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shares", type=float, nargs="+", default=[0, 0.2, 0.5, 0.8])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    settings = yaml.safe_load(args.settings.read_text(encoding="utf-8"))
    data = args.folder / "data"
    run_stage("training_data", data, with_real(settings, 0.5, args.folds, 0))
    models = {(START, None): Path(settings["semantic"]["start_from"])}
    for fold in range(args.folds):
        for share in args.shares:
            kept = fold if share else None
            if (f"share {share:g}", kept) not in models:
                models[f"share {share:g}", kept] = trained(args, settings, share, kept)
    rows = scored(data, models, args.threads)
    rows.to_csv(args.folder / "scores.csv", index=False)
    means = rows.groupby(["kind", "structure", "training"])["dice"].mean().unstack()
    print(means.round(4).to_string())
    for before in sorted({START, WITHOUT} & set(rows["training"])):
        print(f"\nDifferences from {before}:", differences(rows, before).to_string(), sep="\n")
    return 0


def with_real(settings: dict, share: float, folds: int, fold: int | None) -> dict:
    """Return the settings of one training."""
    changed = deepcopy(settings)
    (real,) = changed["real"]
    if share == 0:
        del changed["real"]
        return changed
    real.pop("validation", None)
    real |= {"share": share, "folds": folds, "fold": fold or 0}
    return changed


def trained(args: argparse.Namespace, settings: dict, share: float, fold: int | None) -> Path:
    """Train with one share, one fold kept out; return the model's folder."""
    folder = args.folder / f"share{share:g}_fold{fold}"
    model = folder / "model"
    if not (model / "plans.json").exists():
        link_cases(args.folder / "data", folder)
        chosen = with_real(settings, share, args.folds, fold)
        run_stage("training_data", folder, chosen)
        options = ["--export", str(model), "--threads", str(args.threads)]
        run_stage("train_semantic", folder, chosen, *options)
        for links in ("cases", "partial", "nnUNet_preprocessed"):
            shutil.rmtree(folder / links)
    return model


def link_cases(source: Path, target: Path) -> None:
    """Give a training the cases of another folder, as hard links; descriptions are its own."""

    def link(old: str, new: str) -> None:
        if not old.endswith(".json") and not Path(new).exists():
            os.link(old, new)

    for name in ("cases", "partial", "nnUNet_preprocessed"):
        shutil.copytree(source / name, target / name, copy_function=link, dirs_exist_ok=True)


def run_stage(name: str, folder: Path, settings: dict, *options: str) -> None:
    """Run a stage of the training."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "train.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    stage = [sys.executable, "-m", f"wirbel.stages.{name}"]
    with (folder / f"{name}.log").open("a", encoding="utf-8") as log:
        command = [*stage, "--settings", str(path), "--folder", str(folder), *options]
        subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)
    print(f"{folder.name}: {name} done", flush=True)


def scored(data: Path, models: dict[tuple[str, int | None], Path], processes: int) -> pd.DataFrame:
    """Return Dice of every kept-out scan and structure: columns training, fold, kind, case, structure, dice."""
    with (data / "splits.tsv").open(encoding="utf-8") as file:
        parts = list(csv.DictReader(file, delimiter="\t"))
    tasks, labels = [], []
    for (training, fold), model in models.items():
        for part in parts:
            simulated = part["data_set"] == SIMULATED
            kept = part["used_for"] == "validation" if simulated else fold is None
            if kept or (not simulated and part["fold"] == str(fold)):
                name = part["participant_id"]
                case = name if simulated else f"{part['data_set']}_{name}"
                tasks.append((data, model, case))
                labels.append({"training": training, "fold": fold})
    with get_context("spawn").Pool(processes) as pool:
        found = pool.starmap(scores, tasks, chunksize=1)
    rows = [label | row for label, rows in zip(labels, found, strict=True) for row in rows]
    return pd.DataFrame(rows).drop(columns="model")


def differences(rows: pd.DataFrame, before: str) -> pd.DataFrame:
    """Return the mean difference from a training, and its interval, for each structure and training.

    Networks of several folds see the same simulated scan; its scores are averaged first.
    """
    table = rows.pivot_table("dice", ["kind", "structure", "case"], "training")
    random = np.random.default_rng(0)
    out = {}
    for (kind, structure), each in table.groupby(level=["kind", "structure"]):
        picks = random.integers(len(each), size=(RESAMPLES, len(each)))
        for training in each.columns.drop(before):
            change = (each[training] - each[before]).to_numpy()
            low, high = np.percentile(change[picks].mean(1), [2.5, 97.5])
            out[kind, structure, training] = f"{change.mean():+.4f} [{low:+.4f}, {high:+.4f}]"
    return pd.Series(out).unstack()


if __name__ == "__main__":
    raise SystemExit(main())
