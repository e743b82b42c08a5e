"""The cost of a run, for people: seconds, memory and GPU time by scan, job and stage.

Times by scan come from the records (loading, computing and saving; they overlap within a job).
Times by job are measured by the job itself, from the start of its process. Only manifests and logs
are read, no results.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.lineage import Tables
from wirbel.manifests.records import OK
from wirbel.plan.chain import ALL_STAGES, GPU_STAGES, INTERMEDIATE, LABEL, LAST_READER, STAGES
from wirbel.runner.machine.joblogs import read_job_log
from wirbel.words import counted

GPU = "cuda"


@dataclass(frozen=True)
class JobCost:
    """One stage of one batch. Seconds are those of its last attempt; `starts` counts all attempts."""

    stage: str
    batch: str
    scans: int
    seconds: float
    cpu_seconds: float
    gpu_seconds: float
    max_memory_mb: float
    starts: int


@dataclass(frozen=True)
class StageCost:
    """One stage over all batches."""

    stage: str
    jobs: int
    starts: int
    scans: int
    seconds: float
    cpu_seconds: float
    gpu_seconds: float
    max_memory_mb: float
    median_seconds_per_job: float
    median_seconds_per_scan: float


def job_costs(output_dir: Path, batch: str, tables: Tables) -> list[JobCost]:
    """Return the cost of the batch's finished jobs, in the order of the stages."""
    found = []
    for stage in ALL_STAGES:
        log = read_job_log(output_dir, stage, batch)
        if stage not in tables or not log.used.seconds:
            continue
        used, scans = log.used, len(tables[stage])
        gpus = GPU_STAGES.get(stage, 0) * any(r.device == GPU for r in tables[stage].values())
        found.append(
            JobCost(
                stage,
                batch,
                scans,
                used.seconds,
                used.cpu_seconds,
                used.seconds * gpus,
                used.max_memory_mb,
                max(log.starts, 1),
            )
        )
    return found


def scan_rows(batch: str, tables: Tables) -> list[dict[str, object]]:
    """Return one row per scan of a batch: seconds by stage, GPU-seconds, final files and their bytes."""
    rows = []
    for scan_id in tables.get(STAGES[0], {}):
        records = {
            stage: tables[stage][scan_id]
            for stage in ALL_STAGES
            if scan_id in tables.get(stage, {})
        }
        named = LABEL in records and records[LABEL].status == OK
        dropped = (*INTERMEDIATE, LAST_READER) if named else INTERMEDIATE
        kept = [size for s, r in records.items() if s not in dropped for size in r.sizes]
        last = list(records.values())[-1]
        rows.append(
            {"scan_id": scan_id, "batch": batch, "status": last.status}
            | {f"{stage}_seconds": _rounded(record.seconds) for stage, record in records.items()}
            | {
                "seconds": _rounded(sum(r.seconds for r in records.values())),
                "gpu_seconds": _rounded(
                    sum(r.seconds for r in records.values() if r.device == GPU)
                ),
                "final_files": len(kept),
                "final_bytes": sum(kept),
            }
        )
    return rows


def stage_costs(jobs: list[JobCost], scans: list[dict[str, Any]]) -> list[StageCost]:
    """Return one row per stage that has jobs."""
    found = []
    for stage in ALL_STAGES:
        own = [job for job in jobs if job.stage == stage]
        times = [row[f"{stage}_seconds"] for row in scans if row.get(f"{stage}_seconds")]
        if own:
            found.append(
                StageCost(
                    stage,
                    len(own),
                    sum(job.starts for job in own),
                    sum(job.scans for job in own),
                    sum(job.seconds for job in own),
                    sum(job.cpu_seconds for job in own),
                    sum(job.gpu_seconds for job in own),
                    max(job.max_memory_mb for job in own),
                    median(job.seconds for job in own),
                    median(times) if times else 0.0,
                )
            )
    return found


def stages_in(scans: list[dict[str, object]]) -> list[str]:
    """Return the usual stages, and those others that any scan went through, in order."""
    present = {name for row in scans for name in row}
    return [s for s in ALL_STAGES if s in STAGES or f"{s}_seconds" in present]


def write_costs(output_dir: Path, jobs: list[JobCost], scans: list[dict[str, object]]) -> None:
    """Write `jobs.csv`, `stages.csv` and `scans.csv` to `logs/benchmarks`."""
    folder = output_dir / "logs" / "benchmarks"
    for name, kind, rows in (
        ("jobs", JobCost, jobs),
        ("stages", StageCost, stage_costs(jobs, scans)),
    ):
        columns = [field.name for field in fields(kind)]
        write_rows(
            folder / f"{name}.csv",
            columns,
            ({k: _rounded(v) for k, v in asdict(r).items()} for r in rows),
        )
    columns = ["scan_id", "batch", "status", *(f"{stage}_seconds" for stage in stages_in(scans))]
    columns += ["seconds", "gpu_seconds", "final_files", "final_bytes"]
    write_rows(folder / "scans.csv", columns, scans)


def _rounded(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value


def told_costs(output_dir: Path, batches: dict[str, Tables]) -> list[str]:
    """Write the cost tables; return what they come to."""
    jobs = [
        cost for batch, tables in batches.items() for cost in job_costs(output_dir, batch, tables)
    ]
    scans = [row for batch, tables in batches.items() for row in scan_rows(batch, tables)]
    done = [row for row in scans if row["status"] == OK]
    if not jobs or not done:
        return []
    write_costs(output_dir, jobs, scans)
    typical = [f"{stage} {_median(done, f'{stage}_seconds'):.3g}" for stage in stages_in(done)]
    return [
        _hours(jobs),
        f"A typical scan: {_median(done, 'seconds'):.3g} s ({', '.join(typical)}), "
        f"{_median(done, 'final_files'):.0f} files and {_median(done, 'final_bytes') / 1e6:.2g} MB kept",
        f"Costs by stage, job and scan: {output_dir / 'logs' / 'benchmarks'}",
    ]


def _hours(jobs: list[JobCost]) -> str:
    cpu, gpu = sum(job.cpu_seconds for job in jobs), sum(job.gpu_seconds for job in jobs)
    memory = max(job.max_memory_mb for job in jobs)
    told = f"Cost: {cpu / 3600:.2g} CPU-hours and {gpu / 3600:.2g} GPU-hours in {counted(len(jobs), 'job')}"
    return f"{told}; the largest took {memory / 1000:.2g} GB of memory"


def _median(rows: list[dict], column: str) -> float:
    return median(float(row.get(column) or 0) for row in rows)
