"""A run's jobs in SLURM's queue: those that an earlier run left behind, and why jobs are waiting."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from wirbel.slurm.questions import QueuedJob, SlurmError, cancel, jobname_prefix, queued_jobs
from wirbel.slurm.setup import keeps_accounts, oldest_shown_seconds
from wirbel.words import counted

WATCH_SECONDS = 60.0
FORGOTTEN_LOOKS = 10
"""Looks in turn at an empty queue after which jobs that are still awaited count as forgotten: when a job ended, the
executor notices within three minutes."""
FORGOTTEN = (
    "SLURM has forgotten {} jobs of this run, and it waits for them in vain: that happens when SLURM's controller goes "
    "down just after they were submitted. Stop it (Ctrl-C) and give the same command again; what is finished is kept."
)
STILL_AWAITED_LOOKS = 30
"""The same where such jobs are given up without anybody's help, within twenty minutes (`awaited`)."""
STILL_AWAITED = (
    "{} jobs of this run are no longer in SLURM's queue, and how they ended is not known yet. Where `sacct` fails, "
    "SLURM's accounting database is down, and there is nothing to do but wait; otherwise stop this run (Ctrl-C) and "
    "give the same command again: what is finished is kept."
)
TRANSIENT = {"None", "Prolog", "BeginTime"}
EXPLANATIONS = {
    "Resources": "no GPU (or no processor, no memory) is free at the moment; they start when one is",
    "Priority": "other jobs are before them; they start when it is their turn",
    "PartitionDown": "the partition is closed at the moment; `sinfo` shows when that changes",
    "PartitionInactive": "the partition is closed at the moment; `sinfo` shows when that changes",
    "PartitionTimeLimit": "they ask for more time than the partition allows: choose a smaller batch_size",
    "PartitionNodeLimit": "the partition has no such node at the moment; `sinfo` shows its state",
    "BadConstraints": "no node has what they ask for: look at gpu_model in the profile",
    "DependencyNeverSatisfied": "cancel them (`scancel`) and run this again",
}
LIMITED = ("QOS", "Assoc", "MaxJobs", "MaxCpu", "MaxMem", "MaxGRES")


def take_over(settings: Any, output_dir: str, say: Callable[[str], None]) -> None:
    """Give this run's jobs a name by its output folder; stop jobs of that name, which a killed run left.

    `settings` are those of the SLURM executor. Left alone, the old jobs would compute what this run submits again,
    and when one of them failed Snakemake, inside it, would remove a manifest that this run relies on.
    """
    prefix = settings.jobname_prefix = jobname_prefix(output_dir)
    orphans = queued_jobs(prefix)
    if orphans:
        numbers = ", ".join(job.number for job in orphans[:10]) + (", ..." if orphans[10:] else "")
        say(
            f"{len(orphans)} SLURM jobs of an earlier run on {output_dir} are still there ({numbers}): it "
            "ended without stopping them. They are stopped now; the scans they have finished are kept."
        )
        cancel(orphans, prefix)


def choose_status_command(settings: Any) -> None:
    """Let the executor ask for its jobs in a way that this cluster can answer.

    Without an accounting database sacct never knows a job, and the executor would wait for ever.
    """
    if keeps_accounts():
        return
    settings.status_command = "squeue"
    # The executor asks sacct all the same where squeue forgets jobs within three times this span.
    longest = max(1, oldest_shown_seconds() // 3)
    settings.init_seconds_before_status_checks = min(
        settings.init_seconds_before_status_checks, longest
    )


def waiting(jobs: list[QueuedJob]) -> list[str]:
    """Return one sentence for each reason why jobs are not running."""
    pending = [job for job in jobs if job.state == "PENDING" and job.reason not in TRANSIENT]
    numbers = Counter((job.reason, job.partition) for job in pending)
    return [
        f"{counted(number, 'job waits', 'jobs wait')} in partition {partition} ({reason}): {_explained(reason)}"
        for (reason, partition), number in sorted(numbers.items())
    ]


def watch(
    prefix: str,
    say: Callable[[str], None],
    awaited: Callable[[], int],
    seconds: float = WATCH_SECONDS,
    gives_up: bool = False,
) -> None:
    """Say from now on, in the background, why jobs wait, whenever the reasons change.

    `awaited` returns how many of the run's jobs Snakemake has submitted and not yet seen end; `gives_up` tells whether
    it notices on its own that some are gone.
    """
    gone = (STILL_AWAITED_LOOKS, STILL_AWAITED) if gives_up else (FORGOTTEN_LOOKS, FORGOTTEN)
    arguments = (prefix, say, awaited, seconds, *gone)
    threading.Thread(target=_watch, args=arguments, daemon=True).start()


def _watch(
    prefix: str,
    say: Callable[[str], None],
    awaited: Callable[[], int],
    seconds: float,
    gone_looks: int,
    gone: str,
) -> None:
    told: set[str] = set()
    pause, empty = threading.Event(), 0
    while not pause.wait(seconds):
        try:
            jobs = queued_jobs(prefix)
        except SlurmError as error:
            say(str(error))
            continue
        empty = empty + 1 if not jobs and awaited() else 0
        if empty and empty % gone_looks == 0:
            say(gone.format(awaited()))
        reasons = {f"{job.reason} {job.partition}" for job in jobs if job.state == "PENDING"}
        if reasons - told:
            for sentence in waiting(jobs):
                say(sentence)
        told = reasons


def _explained(reason: str) -> str:
    word = reason.split(",")[0].split(":")[0].strip("()")
    if word.startswith("ReqNodeNotAvail"):
        return "the nodes they need are down or reserved; `sinfo` shows their state"
    if word.startswith(LIMITED):
        return "a limit of your account is reached; they start when your other jobs end"
    return EXPLANATIONS.get(word, "`scontrol show job` says more about each")
