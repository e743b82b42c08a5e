"""How far a run is: scans by stage, pace, and reasons of failures. Only reads, so it is safe while a run is going.

A manifest counts while its seal fits the present plan and the manifest before it; what an earlier run under other
settings left behind counts as waiting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import InfrastructureError
from wirbel.plan.plan import Plan, plan_file, read_plan
from wirbel.study.ending.run_record import last_run
from wirbel.study.run_lock import RunLock
from wirbel.study.watching.batches import BatchState, Progress, read_states
from wirbel.study.watching.pace import Pace, pace_of
from wirbel.study.watching.rows import failed_rows

MOST_REASONS = 10


class NothingYet(Exception):
    """The folder holds no run; the text says so."""


@dataclass(frozen=True)
class StageStatus:
    """Scans at one stage. `passed_over` failed at an earlier one; `running` are not finished, in batches at work."""

    stage: str
    done: int = 0
    failed: int = 0
    passed_over: int = 0
    running: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        """All scans of the study."""
        return self.done + self.failed + self.passed_over + self.running + self.waiting


@dataclass(frozen=True)
class Reason:
    """How many scans failed at a stage for one reason."""

    stage: str
    reason: str
    scans: int


@dataclass(frozen=True)
class Status:
    """A run at one moment. `holder` names the process at work, empty where none is; `run` is the last run's record."""

    output_dir: str
    scans: int
    measured: int
    failed: int
    stages: tuple[StageStatus, ...]
    reasons: tuple[Reason, ...]
    holder: str
    run: dict[str, str]
    pace: Pace


def look(output_dir: str | Path) -> Status:
    """Return how far the run in a folder is; raises NothingYet, OSError."""
    folder = Path(output_dir)
    plan = plan_of(folder)
    holder, run = RunLock(folder).at_work(), last_run(folder)
    states = read_states(folder, plan, at_work=bool(holder))
    progress = Counter(state.progress for state in states)
    stages = tuple(_stage(name, place, progress) for place, name in enumerate(plan.names))
    return Status(
        str(output_dir),
        scans=sum(state.scans * batches for state, batches in progress.items()),
        measured=stages[-1].done,
        failed=sum(stage.failed for stage in stages),
        stages=stages,
        reasons=_reasons(folder, plan.names, states),
        holder=holder,
        run=run,
        pace=pace_of(folder, plan.names, states, run if holder else {}),
    )


def plan_of(folder: Path) -> Plan:
    """Return the plan of the last run in an output folder; raises NothingYet where there is none to be read."""
    if not folder.is_dir():
        raise NothingYet(f"there is no folder {folder}: give the output folder of a run")
    if not plan_file(folder).is_file():
        raise NothingYet(f"nothing was computed in {folder} yet: it has no work/plan.json")
    try:
        return read_plan(plan_file(folder))
    except InfrastructureError as error:
        raise NothingYet(str(error)) from None


def _stage(name: str, place: int, progress: Mapping[Progress, int]) -> StageStatus:
    """Add up one stage over all batches; `progress` counts those that are equally far."""
    counts: Counter[str] = Counter()
    for state, batches in progress.items():
        done, without = state.counts(place)
        before = state.counts(place - 1)[1] if place else 0
        open_scans = state.scans - done - without
        counts["done"] += batches * done
        counts["failed"] += batches * max(0, without - before) if done or without else 0
        counts["passed_over"] += batches * min(before, without)
        counts["running" if state.runs(place) else "waiting"] += batches * open_scans
    return StageStatus(name, **counts)


def _reasons(folder: Path, names: tuple[str, ...], states: list[BatchState]) -> tuple[Reason, ...]:
    """Return the most frequent reasons; opens only manifests that hold a failure."""
    counted: Counter[tuple[str, str]] = Counter()
    for state in states:
        for place in state.failed_at:
            rows = failed_rows(folder, names[place], state.batch)
            counted.update((names[place], reason) for reason in rows)
        now = len(state.progress.reached)
        counted.update((names[now], reason) for reason in state.progress.failing)
    most = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:MOST_REASONS]
    return tuple(Reason(stage, reason, scans) for (stage, reason), scans in most)
