"""What is known of each batch: how far its valid manifests reach, and what the stage at work has done so far."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from wirbel.manifests.batches import list_batches
from wirbel.manifests.records import FAILED, OK
from wirbel.manifests.seals import Seal
from wirbel.plan.plan import Plan
from wirbel.runner.machine.locks import is_locked
from wirbel.study.decision.standing import scans_in, valid_seals
from wirbel.study.watching.rows import rows_so_far


@dataclass(frozen=True)
class BatchState:
    """`seals` are those of the valid manifests, from the first stage on.

    The stage after them is the next: `finished` scans and reasons of `failing` ones are its own, while it is `at_work`.
    """

    batch: str
    scans: int
    seals: tuple[Seal, ...]
    at_work: bool = False
    finished: int = 0
    failing: tuple[str, ...] = ()

    def counts(self, place: int) -> tuple[int, int]:
        """Return how many scans have a result at a stage, and how many cannot have one."""
        if place < len(self.seals):
            return self.seals[place].measured, self.seals[place].failed_scans
        if place == len(self.seals):
            before = self.seals[-1].failed_scans if self.seals and self.at_work else 0
            return self.finished, before + len(self.failing)
        return 0, 0

    def runs(self, place: int) -> bool:
        """Whether a job of this stage is at work on the batch."""
        return self.at_work and place == len(self.seals)


def read_states(output_dir: Path, plan: Plan, *, at_work: bool) -> list[BatchState]:
    """Return the state of every batch; `at_work` says whether a run goes on, without which no job does."""
    locked = _locked(output_dir) if at_work else frozenset()
    return [_state(output_dir, plan, batch, batch in locked) for batch in list_batches(output_dir)]


def _state(output_dir: Path, plan: Plan, batch: str, locked: bool) -> BatchState:
    seals = valid_seals(output_dir, plan, batch)
    scans = scans_in(output_dir, batch, seals)
    if not locked or len(seals) == len(plan.stages):
        return BatchState(batch, scans, seals)
    rows = rows_so_far(output_dir, plan.stages[len(seals)], batch)
    done = sum(row.status == OK for row in rows)
    return BatchState(
        batch, scans, seals, True, done, tuple(r.reason for r in rows if r.status == FAILED)
    )


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
