"""Questions to SLURM, asked with its own programs, and orders to it.

Only the workflow's main process does so, and only when jobs are submitted to SLURM.
"""

from __future__ import annotations

import getpass
import hashlib
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wirbel.words import counted

ANSWER_SECONDS = 60
PATIENCE_SECONDS = 60
"""How long a controller that does not answer is asked again: a restart takes less."""
ENDED_SECONDS = 330
"""How long cancelled jobs may take to end: on a node that went down until SLURM notices, in 300 s."""
OUTAGES = ("contact", "onnect", "imed out", "Zero Bytes", "ocket")
"""Words of SLURM's messages when its controller cannot be reached."""
POLL_SECONDS = 1.0


class SlurmError(Exception):
    """SLURM cannot do what was asked; says what to do."""


@dataclass(frozen=True)
class QueuedJob:
    """A job in the queue; `reason` says why it is not running yet, in SLURM's words."""

    number: str
    name: str
    state: str
    partition: str
    reason: str


def ask(*command: str, patience_seconds: float | None = None) -> str:
    """Return what a SLURM program prints; raises SlurmError with a sentence on what to do."""
    patience = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
    end = time.monotonic() + patience
    while True:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS)
        except FileNotFoundError:
            raise SlurmError(
                f"{command[0]} was not found, so there is no SLURM here: run this on the login node of "
                "your cluster (some need `module load slurm`), or on this machine alone with "
                "--profile profiles/default"
            ) from None
        except subprocess.TimeoutExpired:
            raise SlurmError(
                f"{_unreachable(command)} (no answer for {ANSWER_SECONDS} s)"
            ) from None
        if done.returncode == 0:
            return done.stdout
        told = " ".join(done.stderr.split())
        if not any(word in told for word in OUTAGES):
            raise SlurmError(f"`{' '.join(command)[:80]}` failed: {told or 'no reason given'}")
        if time.monotonic() > end:
            raise SlurmError(f"{_unreachable(command)} ({told})")
        time.sleep(POLL_SECONDS)


def jobname_prefix(output_dir: str | Path) -> str:
    """Return how the names of all jobs begin that write to this output folder."""
    place = str(Path(output_dir).resolve())
    return f"wirbel-{hashlib.sha256(place.encode()).hexdigest()[:10]}"


def queued_jobs(prefix: str) -> list[QueuedJob]:
    """Return this user's jobs that wait or run and whose names begin with `prefix`."""
    listed = ask(
        *("squeue", "--noheader", "--states=PENDING,CONFIGURING,RUNNING,SUSPENDED,COMPLETING"),
        *(f"--user={getpass.getuser()}", "--format=%i|%j|%T|%P|%r"),
    )
    jobs = [QueuedJob(*line.split("|", 4)) for line in listed.splitlines()]
    return [job for job in jobs if job.name.startswith(prefix)]


def job_states(prefix: str) -> dict[str, str]:
    """Return number and state of this user's jobs whose names begin with `prefix`.

    All that the controller knows, for some minutes also those that ended. It is asked once, without patience.
    """
    listed = ask(
        *("squeue", "--noheader", "--states=all", f"--user={getpass.getuser()}"),
        "--format=%i|%T|%j",
        patience_seconds=0,
    )
    jobs = [line.split("|", 2) for line in listed.splitlines()]
    return {number: state for number, state, name in jobs if name.startswith(prefix)}


def cancel(jobs: list[QueuedJob], prefix: str) -> None:
    """Cancel jobs and wait until they are gone, so that none of them writes or removes a file any more."""
    with suppress(SlurmError):  # a job that has just ended cannot be cancelled
        ask("scancel", *(job.number for job in jobs))
    end = time.monotonic() + ENDED_SECONDS
    while left := queued_jobs(prefix):
        if time.monotonic() > end:
            numbers = " ".join(job.number for job in left)
            raise SlurmError(
                f"cancelled, but still there: {counted(len(left), 'job')} of an earlier run ({numbers}); "
                "wait until `squeue --me` does not show them any more, and run this again"
            )
        time.sleep(POLL_SECONDS)


def _unreachable(command: tuple[str, ...]) -> str:
    return (
        f"SLURM did not answer `{' '.join(command)[:80]}`: look whether `sinfo` works, ask your cluster's "
        "administrators if not, and run this again later"
    )
