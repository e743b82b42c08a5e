"""How fast a run is, and how long it will take.

Stages take different times, so scans are weighed by the median seconds of each stage: the work that is left, over the
work done since the run began, times the time that took. How many jobs run at once is in that ratio.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from statistics import median

from wirbel.io.tabular.tables import read_rows
from wirbel.study.watching.batches import BatchState
from wirbel.study.watching.rows import seconds_in

SAMPLED_BATCHES = 25
"""Manifests of each stage from which its median is taken."""


@dataclass(frozen=True)
class Pace:
    """`seconds_per_scan` holds medians by stage; the others are None where no run goes on, or it is too early."""

    seconds_per_scan: Mapping[str, float]
    elapsed_seconds: float | None = None
    scans_per_hour: float | None = None
    seconds_left: float | None = None


def pace_of(
    output_dir: Path, names: tuple[str, ...], states: list[BatchState], run: Mapping[str, str]
) -> Pace:
    """Return the pace of a run; `run` is its record, empty where none goes on."""
    medians = _medians(output_dir, names, states)
    began = _began(run)
    if began is None:
        return Pace(medians)
    elapsed = max(1.0, time.time() - began)
    done = _work_since(began, output_dir, names, states, medians)
    left = sum(
        batches * medians.get(name, 0.0) * (progress.scans - sum(progress.counts(place)))
        for progress, batches in Counter(state.progress for state in states).items()
        for place, name in enumerate(names)
    )
    if not done or set(medians) != set(names):
        return Pace(medians, elapsed)
    rate = done / elapsed
    return Pace(medians, elapsed, 3600 * rate / sum(medians.values()), left / rate)


def _work_since(
    began: float,
    output_dir: Path,
    names: tuple[str, ...],
    states: list[BatchState],
    medians: Mapping[str, float],
) -> float:
    """Return the work done since a moment, in seconds of one job after the other."""
    done, work = 0.0, os.path.join(output_dir, "work")
    for batch, progress, _ in states:
        for name, (measured, _) in zip(names, progress.reached, strict=False):
            if _changed(f"{work}/{name}/{batch}.tsv") >= began:
                done += medians.get(name, 0.0) * measured
        if progress.at_work:
            done += medians.get(names[len(progress.reached)], 0.0) * progress.finished
    return done


def _medians(
    output_dir: Path, names: tuple[str, ...], states: list[BatchState]
) -> dict[str, float]:
    """Return median seconds per scan, from manifests, else from the tables of an earlier run."""
    found = _earlier(output_dir, names)
    for place, name in enumerate(names):
        done = (state.batch for state in reversed(states) if len(state.progress.reached) > place)
        times = [
            seconds
            for batch in islice(done, SAMPLED_BATCHES)
            for seconds in seconds_in(output_dir, name, batch)
        ]
        if times:
            found[name] = median(times)
    return found


def _earlier(output_dir: Path, names: tuple[str, ...]) -> dict[str, float]:
    """Return the medians in `logs/benchmarks/stages.csv`."""
    found = {}
    with suppress(OSError, KeyError, ValueError):
        for row in read_rows(output_dir / "logs" / "benchmarks" / "stages.csv"):
            if row["stage"] in names:
                found[row["stage"]] = float(row["median_seconds_per_scan"])
    return found


def _began(run: Mapping[str, str]) -> float | None:
    try:
        return datetime.fromisoformat(run["started"]).timestamp()
    except (KeyError, ValueError):
        return None


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
