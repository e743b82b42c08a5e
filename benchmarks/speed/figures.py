"""Ratios of what two tools spent: medians, spread, and a CSV of every run with the machine it ran on."""

from __future__ import annotations

import csv
import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sides import Spent

MEASURES: dict[str, Callable[[Spent], float]] = {
    "cpu": lambda spent: spent.cpu_s,
    "gpu_alloc": lambda spent: spent.gpu_alloc_s,
    "gpu_cpu": lambda spent: spent.gpu_cpu_s,
    "mem": lambda spent: spent.peak_mb,
}
UNITS = {"cpu": "s", "gpu_alloc": "s", "gpu_cpu": "s", "mem": "MB"}


@dataclass
class Run:
    """Both tools once on one batch."""

    case: str
    repeat: int
    ours: Spent
    theirs: Spent

    def ratio(self, measure: str) -> float:
        """Return ours over theirs."""
        value = MEASURES[measure]
        return value(self.ours) / value(self.theirs)


def show(case: str, runs: list[Run]) -> None:
    """Print a batch's figures: totals, ratios, and CPU seconds by stage."""
    print(f"\n{case}, {len(runs)} runs of both in turns; beside the networks")
    for measure, value in MEASURES.items():
        ours = statistics.median(value(run.ours) for run in runs)
        theirs = statistics.median(value(run.theirs) for run in runs)
        ratios = [run.ratio(measure) for run in runs]
        print(
            f"  {measure:10} Wirbel {ours:8.1f} {UNITS[measure]:2}  SPINEPS {theirs:8.1f} {UNITS[measure]:2}  "
            f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        )
    for name in dict.fromkeys([*runs[0].ours.stages, *runs[0].theirs.stages]):
        sides = [
            statistics.median(getattr(run, side).stages.get(name, 0.0) for run in runs)
            for side in ("ours", "theirs")
        ]
        print(f"  {name:24} {sides[0]:8.2f} s  {sides[1]:8.2f} s of CPU", flush=True)


def summary(runs: list[Run]) -> str:
    """Return the last line: of every measure the largest median ratio of any batch."""
    cases = dict.fromkeys(run.case for run in runs)
    parts = []
    for measure in MEASURES:
        medians = [
            statistics.median(run.ratio(measure) for run in runs if run.case == case)
            for case in cases
        ]
        parts.append(f"{measure}_ratio={max(medians):.3f}")
    return " ".join(parts)


def write_runs(path: Path, runs: list[Run]) -> None:
    """Write every run; the machine stands in a column."""
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    with open(path, "w", newline="") as stream:
        writer = csv.writer(stream)
        names = [f"{measure}_{side}" for measure in MEASURES for side in ("wirbel", "spineps")]
        writer.writerow(["case", "repeat", *names, "machine"])
        for run in runs:
            pairs = [(value(run.ours), value(run.theirs)) for value in MEASURES.values()]
            numbers = [f"{number:.3f}" for pair in pairs for number in pair]
            writer.writerow([run.case, run.repeat, *numbers, machine])
