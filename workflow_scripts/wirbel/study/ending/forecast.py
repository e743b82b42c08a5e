"""What more scans would cost, from what a finished run measured (`logs/benchmarks`).

Costs are taken to grow with the number of scans, the starts of jobs included: with larger batches than those measured
they are a little too high.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from wirbel.io.tabular.tables import read_rows
from wirbel.plan.chain import GPU_STAGES, jobs, stages_of_job

FILES_PER_BATCH = 8
"""Lists, manifests, records and the log of a batch (docs/performance.md)."""
SECONDS_PER_HOUR = 3600


class NothingMeasured(Exception):
    """The folder has no costs of a finished run."""


@dataclass(frozen=True)
class JobForecast:
    """All jobs of one kind. `hours` is their time one after another; `gpu_hours` is None if no GPU was measured."""

    name: str
    jobs: int
    hours: float
    cpu_hours: float
    gpu_hours: float | None
    memory_gb: float


@dataclass(frozen=True)
class Forecast:
    """What `scans` would cost in batches of `batch_size`, by `measured` scans of a folder."""

    folder: Path
    measured: int
    scans: int
    batch_size: int
    kinds: tuple[JobForecast, ...]
    kept_gb: float
    files: int

    def days(self, processors: int, gpus: int) -> float:
        """Return the days that so many processors and GPUs need: the longer of the two queues.

        A job without a GPU takes one processor; those with one have processors of their own.
        """
        on_gpu = sum(kind.hours for kind in self.kinds if kind.name in GPU_STAGES)
        elsewhere = sum(kind.hours for kind in self.kinds if kind.name not in GPU_STAGES)
        return max(on_gpu / gpus, elsewhere / processors) / 24


def forecast(folder: Path, scans: int, batch_size: int = 0) -> Forecast:
    """Return what `scans` would cost.

    Parameters
    ----------
    folder : Path
        The output folder of a finished run.
    scans : int
        How many scans to forecast.
    batch_size : int
        Scans per batch. Default: that of the measured run.

    Raises
    ------
    NothingMeasured
        If the folder has no costs of a finished run.
    """
    tables = folder / "logs" / "benchmarks"
    try:
        spent = read_rows(tables / "jobs.csv")
        done = [row for row in read_rows(tables / "scans.csv") if row["status"] == "ok"]
    except FileNotFoundError:
        spent, done = [], []
    if not spent or not done:
        raise NothingMeasured(
            f"{folder} has no costs of a finished run in logs/benchmarks; run some scans first"
        )
    size = batch_size or max(int(row["scans"]) for row in spent)
    batches = math.ceil(scans / size)
    names = {row["stage"] for row in spent}
    kinds = tuple(
        _kind(job.name, [r for r in spent if r["stage"] in stages_of_job(job.name)], scans, batches)
        for job in jobs()
        if job.name in names
    )
    kept = mean(float(row["final_bytes"]) for row in done)
    files = scans * mean(float(row["final_files"]) for row in done) + batches * FILES_PER_BATCH
    return Forecast(folder, len(done), scans, size, kinds, scans * kept / 1e9, round(files))


def _kind(name: str, rows: Sequence[dict[str, str]], scans: int, batches: int) -> JobForecast:
    measured = sum(int(row["scans"]) for row in rows if row["stage"] == name)
    sums = {
        column: sum(float(row[column]) for row in rows) * scans / measured / SECONDS_PER_HOUR
        for column in ("seconds", "cpu_seconds", "gpu_seconds")
    }
    unknown = name in GPU_STAGES and not sums["gpu_seconds"]
    return JobForecast(
        name,
        batches,
        sums["seconds"],
        sums["cpu_seconds"],
        None if unknown else sums["gpu_seconds"],
        max(float(row["max_memory_mb"]) for row in rows) / 1000,
    )
