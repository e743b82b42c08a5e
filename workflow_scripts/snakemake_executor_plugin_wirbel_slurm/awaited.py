"""Jobs that Snakemake's SLURM executor would await for ever, told by what SLURM's controller itself says of them.

Version 2.8 of the executor never sees the end of a job that the controller forgot (it went down in the second after
the submission), that was cancelled where it asks sacct ("CANCELLED by 1000"), or that was preempted; and it drops all
jobs when its question is not answered for some minutes. A job that is given up here wrongly is merely submitted again,
and what it had finished is not computed a second time.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from subprocess import SubprocessError
from typing import Any

FAILED = {"BOOT_FAIL", "CANCELLED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}
FAILED_LOOKS = 2
"""Looks that show a job as failed: the executor, which knows more about the reason, gets one chance in between."""
COMPLETED, UNKNOWN = "COMPLETED", ""
OVER = {COMPLETED, "PREEMPTED", "REVOKED", UNKNOWN}
"""Here the executor may be about to notice: the database lags behind the controller, which forgets ended jobs."""
OVER_LOOKS, OVER_SECONDS = 3, 600.0
OTHER_CLUSTER = ("slurm_cluster", "cluster", "clusters")
"""Resources that send a job to another cluster, of which this one's controller knows nothing."""
FAILURE = "SLURM-job '{}' failed, SLURM status is: '{}'. "
LOST = (
    "SLURM has forgotten job {}: its controller went down just after the job was submitted, or lost how it ended. The "
    "job counts as failed; scans that it had finished are not computed again. "
)
NO_ANSWER = "SLURM does not say anything about {}; Wirbel waits until it does."
NOT_LOOKED = "Jobs that SLURM has forgotten were not looked for: {}: {}"


@dataclass
class Suspicion:
    """A job that is over, as the controller sees it: since when, at how many looks, and the last state it had."""

    since: float
    looks: int = 0
    state: str = UNKNOWN


Check = Callable[[list[Any]], AsyncIterator[Any]]
"""The executor's own look at its jobs: it reports those that have ended and yields the others."""


class AwaitedJobs:
    """The executor's jobs. All reports are made where the executor makes its own, so no job is reported twice."""

    def __init__(self, executor: Any, prefix: str, say: Callable[[str], None]) -> None:
        self.executor, self.prefix, self.say = executor, prefix, say
        self.awaited: list[Any] = []
        self.suspected: dict[int, Suspicion] = {}
        self.reported: set[int] = set()
        self.answered = True

    def note(self, job: Any) -> None:
        """Remember that a job has been reported."""
        self.reported.add(id(job))

    def and_those_asked_for(self, active: list[Any]) -> list[Any]:
        """Return the jobs, and those that are being asked for and not reported yet."""
        known = {id(job) for job in active}
        return [*active, *(j for j in self._unreported(self.awaited) if id(j) not in known)]

    async def look(self, active: list[Any], check: Check) -> AsyncIterator[Any]:
        """Report jobs that have ended or are gone, and yield the others; `check` is the executor's own look."""
        self.reported.clear()
        self._guarded(self._give_up_replaced, active)
        asked, still = self._unreported(active), []
        self.awaited = asked
        with suppress(OSError, SubprocessError):  # a busy login node that starts no more programs
            async for job in check(asked):
                still.append(job)
        dropped = len(self._unreported(asked)) > len(still)
        if dropped and self.answered:
            self.say(NO_ANSWER.format("1 job" if len(asked) == 1 else f"{len(asked)} jobs"))
        self.answered = not dropped
        self._guarded(self._give_up_lost, still)
        self.awaited = self._unreported(asked)
        for job in self.awaited:
            yield job

    def _guarded(self, act: Callable[[list[Any]], None], jobs: list[Any]) -> None:
        """Let no error end the whole run: then jobs are awaited as the executor does."""
        try:
            act(jobs)
        except Exception as error:
            self.say(NOT_LOOKED.format(type(error).__name__, error))

    def _give_up_replaced(self, active: list[Any]) -> None:
        """Report jobs whose number SLURM has given to a later one: a controller that forgets jobs counts anew.

        The executor would take the later job's end for theirs.
        """
        before = {id(job) for job in self.awaited}
        by_age = [*self.awaited, *(job for job in active if id(job) not in before)]
        here = list(filter(_is_here, by_age))
        latest = {job.external_jobid: job for job in here}
        for job in here:
            if latest[job.external_jobid] is not job:
                self.executor.report_job_error(job, msg=LOST.format(job.external_jobid))

    def _give_up_lost(self, still: list[Any]) -> None:
        """Report those of the jobs that the executor will never see end."""
        before, self.suspected = self.suspected, {}
        if not still:
            return
        from wirbel.slurm.questions import SlurmError, job_states

        try:
            states = job_states(self.prefix)
        except SlurmError:
            return  # no look, no suspicion: it begins anew
        for job in filter(_is_here, still):
            state = states.get(job.external_jobid, UNKNOWN)
            if state not in FAILED | OVER:
                continue
            suspicion = before.get(id(job)) or Suspicion(time.monotonic())
            suspicion.looks += 1
            suspicion.state = state or suspicion.state
            if self._is_enough(suspicion):
                self._report(job, suspicion.state)
            else:
                self.suspected[id(job)] = suspicion

    def _is_enough(self, suspicion: Suspicion) -> bool:
        if suspicion.state in FAILED:
            return suspicion.looks >= FAILED_LOOKS
        long = time.monotonic() - suspicion.since >= OVER_SECONDS
        return long and suspicion.looks >= OVER_LOOKS

    def _report(self, job: Any, state: str) -> None:
        if state == COMPLETED:
            self.executor.report_job_success(job)
        else:
            told = FAILURE if state else LOST
            self.executor.report_job_error(job, msg=told.format(job.external_jobid, state))

    def _unreported(self, jobs: list[Any]) -> list[Any]:
        return [job for job in jobs if id(job) not in self.reported]


def _is_here(job: Any) -> bool:
    """Whether the job is one that squeue lists under its number: on this cluster, and in no array."""
    elsewhere = any(job.job.resources.get(name) for name in OTHER_CLUSTER)
    return not elsewhere and str(job.external_jobid).isdigit()
