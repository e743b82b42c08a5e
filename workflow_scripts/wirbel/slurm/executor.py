"""What is changed in Snakemake's SLURM executor so that a run of weeks needs nobody to watch it.

Nothing of Snakemake is imported: the rules hand in the executor. Where another version of it no longer has what is
changed here, it works as its authors meant it to.
"""

from __future__ import annotations

import inspect
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from shlex import quote
from typing import Any

from wirbel.slurm.awaited import AwaitedJobs
from wirbel.slurm.questions import OUTAGES

METHODS = ("report_job_success", "report_job_error", "cancel_jobs")
REFUSED = re.compile(
    r"^SLURM sbatch failed\. The error message was '(.*?)'\.$", re.DOTALL | re.MULTILINE
)
"""The executor's words about a job that could not be submitted; sbatch's own, and then the whole command."""
NOT_SUBMITTED = "SLURM takes no jobs at the moment; they are submitted again until it does: {}"
AGAIN_SECONDS = 2.0


def mend(executor: Any, prefix: str, say: Callable[[str], None]) -> bool:
    """Change the executor; return whether it now ends on its own all waiting for jobs that are gone."""
    if inspect.isgeneratorfunction(getattr(executor, "get_account_arg", None)):
        executor.get_account_arg = account_argument(executor.get_account_arg)
    if not inspect.isasyncgenfunction(getattr(executor, "check_active_jobs", None)):
        return False
    if not all(callable(getattr(executor, name, None)) for name in METHODS):
        return False
    executor.report_job_error = outage_forgiven(executor, say)
    awaited = AwaitedJobs(executor, prefix, say)
    executor.check_active_jobs = nodes_forgiven(executor, awaited.check_active_jobs)
    return True


def account_argument(original: Callable[[Any], Iterator[str]]) -> Callable[[Any], Iterator[str]]:
    """Return a method that asks no accounting database at every submission; accounts were checked before (slurm_setup).

    Without an account it would also guess one from the user's last jobs, and tell of its failure to do so.
    """

    def argument(job: Any) -> Iterator[str]:
        account = str(job.resources.get("slurm_account") or "")
        if re.search(r"[,\s]", account):  # several: the executor chooses
            yield from original(job)
        else:
            yield f" -A {quote(account)}" if account else ""

    return argument


def nodes_forgiven(executor: Any, check: Callable[[list[Any]], AsyncIterator[Any]]):
    """Return a method that lets later jobs use a node which once failed.

    SLURM gives no job to a node that is down. The executor excludes it for the rest of the run, until after some weeks,
    or one power cut, no node is left and every job fails.
    """
    nodes = getattr(executor, "_failed_nodes", None)
    chosen = frozenset(nodes) if isinstance(nodes, set) else frozenset()

    async def checked(active: list[Any]) -> AsyncIterator[Any]:
        async for job in check(active):
            yield job
        if isinstance(nodes, set):
            nodes.intersection_update(chosen)

    return checked


def outage_forgiven(executor: Any, say: Callable[[str], None]) -> Callable[..., None]:
    """Return a method to report errors with which a submission during an outage is none of a job's few attempts.

    sbatch gives up after some seconds, so that all attempts would be used up before a controller has restarted.
    """
    report = executor.report_job_error

    def reported(job: Any, msg: str | None = None, **more: Any) -> None:
        refused = REFUSED.search(msg or "") if job.external_jobid is None else None
        if not refused or not any(word in refused[1] for word in OUTAGES):
            report(job, msg=msg, **more)
            return
        say(NOT_SUBMITTED.format(" ".join(refused[1].split())))
        if threading.current_thread() is not threading.main_thread():
            time.sleep(AGAIN_SECONDS)
        job.job.attempt -= 1
        executor.workflow.scheduler.error_callback(job.job)

    return reported
