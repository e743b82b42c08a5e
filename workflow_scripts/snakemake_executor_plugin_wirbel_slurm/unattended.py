"""What a run of weeks that nobody watches needs beyond Snakemake's SLURM executor.

`Unattended` is put before the executor's class of snakemake-executor-plugin-slurm, written for version 2.8; nothing of
Snakemake is imported here. `tests/unit/test_slurm_unattended.py` fails when a new version of that plugin no longer has
what is relied on. The plugin's issues 33 and 207, on runs that never notice the end of their jobs, would make most of
this obsolete.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import cached_property
from shlex import quote
from typing import Any

from snakemake_executor_plugin_wirbel_slurm.awaited import AwaitedJobs

REFUSED = re.compile(
    r"^SLURM sbatch failed\. The error message was '(.*?)'\.$", re.DOTALL | re.MULTILINE
)
"""The executor's words about a job that could not be submitted; sbatch's own, and then the whole command."""
NOT_SUBMITTED = "SLURM takes no jobs at the moment; they are submitted again until it does: {}"
AGAIN_SECONDS = 2.0


class Unattended:
    """Mixed into an executor: it waits for no job that is gone, and counts no outage of SLURM as a job's failure."""

    workflow: Any
    logger: Any

    @cached_property
    def _awaited(self) -> AwaitedJobs:
        prefix = self.workflow.executor_settings.jobname_prefix
        return AwaitedJobs(self, prefix, self.logger.warning)

    async def check_active_jobs(self, active_jobs: list[Any]) -> AsyncIterator[Any]:
        """Report jobs that have ended or are gone, and yield the others.

        Later jobs may use a node which once failed: SLURM itself gives no job to a node that is down. Snakemake's
        executor excludes it for the rest of the run, until after some weeks, or one power cut, none is left.
        """
        nodes = getattr(self, "_failed_nodes", set())  # not there while the executor is being made
        before = frozenset(nodes)
        async for job in self._awaited.look(active_jobs, super().check_active_jobs):  # type: ignore[misc]
            yield job
        nodes.intersection_update(before)

    def report_job_success(self, job_info: Any, **more: Any) -> None:
        """Report a job that has ended well."""
        super().report_job_success(job_info, **more)  # type: ignore[misc]
        self._awaited.note(job_info)

    def report_job_error(self, job_info: Any, msg: str | None = None, **more: Any) -> None:
        """Report a job that has failed; one that SLURM did not take during an outage is none of its few attempts.

        sbatch gives up after some seconds, so that all attempts would be used up before a controller has restarted.
        """
        if reason := self._outage(job_info, msg):
            self.logger.warning(NOT_SUBMITTED.format(reason))
            if threading.current_thread() is not threading.main_thread():
                time.sleep(AGAIN_SECONDS)
            job_info.job.attempt -= 1
            self.workflow.scheduler.error_callback(job_info.job)
        else:
            super().report_job_error(job_info, msg=msg, **more)  # type: ignore[misc]
        self._awaited.note(job_info)

    def cancel_jobs(self, active_jobs: list[Any]) -> None:
        """Cancel jobs, and those that are being asked for: Snakemake does not know them then."""
        super().cancel_jobs(self._awaited.and_those_asked_for(active_jobs))  # type: ignore[misc]

    def get_account_arg(self, job: Any) -> Iterator[str]:
        """Yield sbatch's argument without asking the accounting database; accounts were checked before (`setup`).

        Without an account Snakemake's executor would also guess one from the user's last jobs, and tell of its failure
        to do so.
        """
        account = str(job.resources.get("slurm_account") or "")
        if re.search(r"[,\s]", account):  # several: Snakemake's executor chooses
            yield from super().get_account_arg(job)  # type: ignore[misc]
        else:
            yield f" -A {quote(account)}" if account else ""

    def _outage(self, job_info: Any, msg: str | None) -> str:
        """Return sbatch's words if it did not take a job because SLURM did not answer."""
        refused = REFUSED.search(msg or "") if job_info.external_jobid is None else None
        if not refused:
            return ""
        from wirbel.slurm.questions import OUTAGES

        if not any(word in refused[1] for word in OUTAGES):
            return ""
        return " ".join(refused[1].split())
