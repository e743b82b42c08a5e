"""What is known of each batch: how far its valid manifests reach, and what the stage at work has done so far."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from wirbel.manifests.batches import list_batches
from wirbel.manifests.records import FAILED, OK
from wirbel.plan.plan import Plan
from wirbel.runner.machine.locks import is_locked
from wirbel.study.decision.valid_manifests import scans_in, valid_seals
from wirbel.study.watching.rows import rows_so_far


class Progress(NamedTuple):
    """How far a batch is; many batches are equally far.

    `reached` holds the scans with and without a result at each stage that has a valid manifest. The stage after them
    is the next: `finished` scans and reasons of `failing` ones are its own, while it is `at_work`.
    """

    scans: int
    reached: tuple[tuple[int, int], ...]
    at_work: bool = False
    finished: int = 0
    failing: tuple[str, ...] = ()

    def counts(self, place: int) -> tuple[int, int]:
        """Return how many scans have a result at a stage, and how many cannot have one."""
        if place < len(self.reached):
            return self.reached[place]
        if place == len(self.reached):
            before = self.reached[-1][1] if self.reached and self.at_work else 0
            return self.finished, before + len(self.failing)
        return 0, 0

    def runs(self, place: int) -> bool:
        """Whether a job of this stage is at work on the batch."""
        return self.at_work and place == len(self.reached)


class BatchState(NamedTuple):
    """A batch's progress, and the stages at whose manifests a scan failed, by their places."""

    batch: str
    progress: Progress
    failed_at: tuple[int, ...] = ()


def read_states(output_dir: Path, plan: Plan, *, at_work: bool) -> list[BatchState]:
    """Return the state of every batch; `at_work` says whether a run goes on, without which no job does."""
    locked = _locked(output_dir) if at_work else frozenset()
    return [_state(output_dir, plan, batch, batch in locked) for batch in list_batches(output_dir)]


def _state(output_dir: Path, plan: Plan, batch: str, locked: bool) -> BatchState:
    seals = valid_seals(output_dir, plan, batch)
    scans = scans_in(output_dir, batch, seals)
    reached = tuple((seal.measured, seal.failed_scans) for seal in seals)
    failed_at = tuple(place for place, seal in enumerate(seals) if seal.failed)
    if not locked or len(seals) == len(plan.stages):
        return BatchState(batch, Progress(scans, reached), failed_at)
    rows = rows_so_far(output_dir, plan.stages[len(seals)], batch)
    done = sum(row.status == OK for row in rows)
    failing = tuple(row.reason for row in rows if row.status == FAILED)
    return BatchState(batch, Progress(scans, reached, True, done, failing), failed_at)


def _locked(output_dir: Path) -> frozenset[str]:
    """Return the batches that a job is at work on: here as the kernel knows it, elsewhere as the lock's file says."""
    found = set()
    with os.scandir(Path(output_dir, "work", "batches")) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(".lock") and _is_held(entry.path):
                found.add(entry.name[1:-5])
    return frozenset(found)


def _is_held(path: str) -> bool:
    try:
        here = f" on {os.uname().nodename}"
        return here not in Path(path).read_text(errors="replace") or is_locked(Path(path))
    except OSError:
        return False
