"""Stand-ins for Snakemake's SLURM executor and for SLURM, whose hours pass at once."""

import asyncio
from types import SimpleNamespace

from snakemake_executor_plugin_wirbel_slurm import awaited as slurm_awaited
from snakemake_executor_plugin_wirbel_slurm.unattended import Unattended
from wirbel.slurm import questions


class StandIn:
    """As much of the executor as is changed: it sees the end of jobs in `ended` and drops all while `silent`."""

    def __init__(self):
        self.ended, self.asked = set(), []
        self.silent = self.refused = self.interrupted = False
        self.errors, self.successes, self.cancelled = [], [], []
        self._failed_nodes, self.failing = {"n9"}, set()
        self.told = []
        self.logger = SimpleNamespace(warning=self.told.append)
        settings = SimpleNamespace(jobname_prefix="wirbel-1")
        self.workflow = SimpleNamespace(executor_settings=settings)

    async def check_active_jobs(self, active):
        self.asked = list(active)
        self._failed_nodes |= self.failing
        if self.refused:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        if self.interrupted:
            self.cancel_jobs([])
        for job in [] if self.silent else active:
            if job.external_jobid in self.ended:
                self.report_job_success(job)
            else:
                yield job

    def report_job_success(self, job):
        self.successes.append(job)

    def report_job_error(self, job, msg=None):
        self.errors.append((job, msg))

    def cancel_jobs(self, active):
        self.cancelled += active

    def get_account_arg(self, job):
        yield "asked the database"


class UnattendedStandIn(Unattended, StandIn):
    """The stand-in with what is added to the executor."""


class Play:
    """A stand-in with what is added whose SLURM knows the jobs `states`, at a time that the test decides."""

    def __init__(self, monkeypatch):
        self.states, self.executor, self.active = {}, UnattendedStandIn(), []
        self.told = self.executor.told
        self.now, self.made = 0.0, 0
        monkeypatch.setattr(questions, "job_states", self._states)
        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(slurm_awaited, "time", clock)

    def _states(self, prefix):
        assert prefix == "wirbel-1"
        if isinstance(self.states, Exception):
            raise self.states
        return self.states

    def job(self, number, **resources):
        self.made += 1  # two jobs of one number are not equal
        job = SimpleNamespace(resources=resources, serial=self.made)
        self.active.append(SimpleNamespace(external_jobid=number, job=job))
        return self.active[-1]

    def look(self, seconds=180.0):
        """Let the executor check its jobs, some time after the last look."""

        async def checked():
            return [job async for job in self.executor.check_active_jobs(self.active)]

        self.now += seconds
        self.active = asyncio.run(checked())

    @property
    def failed(self):
        return [job for job, _ in self.executor.errors]
