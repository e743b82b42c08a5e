"""Snakemake's own objects: all that is asked of them, and all that is changed in them.

No other module of the package imports Snakemake or knows its members; `tests/unit/test_session.py` fails when a new
version of it changes their shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.settings.enums import Quietness, RerunTrigger
from snakemake.settings.types import DeploymentMethod

from wirbel.study.decision.job_report import BeforeJobTable
from wirbel.study.ending.finish import AtNothingToDo, say_at_the_end
from wirbel.study.workflow.light_snakemake import (
    collect_garbage_seldom,
    without_idle_checks,
    without_input_sizes,
)

SLURM, UNATTENDED = "slurm", "wirbel-slurm"
"""Executors that submit to SLURM: Snakemake's own, and snakemake_executor_plugin_wirbel_slurm."""


class Session:
    """One process of Snakemake; `workflow` is the object that it gives to Snakefiles."""

    def __init__(self, workflow: Any) -> None:
        self._workflow = workflow
        collect_garbage_seldom()

    @property
    def is_main(self) -> bool:
        """Whether this is the process that a person started, and not one that an executor started for a job."""
        return self._workflow.is_main_process

    @property
    def is_touch(self) -> bool:
        """Whether files are only touched: that makes nothing newer here, so there is nothing to touch."""
        return self._executor_name == "touch"

    @property
    def is_run(self) -> bool:
        """Whether this is a main process that is about to compute, and no dry run, `--touch` or other question."""
        asked = self._workflow.executor_plugin is None or self._workflow.dryrun
        return self.is_main and not asked and not self.is_touch

    @property
    def submits_to_slurm(self) -> bool:
        """Whether this process hands jobs to SLURM."""
        return self.is_main and self._executor_name in (SLURM, UNATTENDED)

    @property
    def gives_up_lost_jobs(self) -> bool:
        """Whether the executor notices on its own that SLURM has lost jobs."""
        return self._executor_name == UNATTENDED

    @property
    def is_for_slurm(self) -> bool:
        """Whether the run is one on SLURM, also where this is its dry run: only then jobs have a partition."""
        defaults = self._workflow.resource_settings.default_resources
        return self.submits_to_slurm or (defaults is not None and "slurm_partition" in defaults)

    @property
    def is_forced(self) -> bool:
        """Whether a person asked Snakemake to run jobs, or all of them, in any case."""
        asked = self._workflow.dag_settings
        return self.is_main and bool(asked.forceall or asked.forcerun or asked.forcetargets)

    @property
    def executor_settings(self) -> Any:
        """The executor's settings, as its plugin defines them."""
        return self._workflow.executor_settings

    @property
    def _needs_conda(self) -> bool:
        """Whether jobs have conda environments, or Snakemake was asked about those instead of for a run."""
        software = self._workflow.deployment_settings.deployment_method
        return self._workflow.executor_plugin is None or DeploymentMethod.CONDA in software

    @property
    def _executor_name(self) -> str:
        plugin = self._workflow.executor_plugin
        return plugin.name if plugin is not None else ""

    def planned(self) -> list[tuple[str, str]]:
        """Return (rule, batch or "") of all jobs that are to run."""
        return [
            (job.rule.name, job.wildcards_dict.get("batch", ""))
            for job in self._workflow.dag.needrun_jobs()
            if not job.rule.norun
        ]

    def to_submit(self) -> list[Any]:
        """Return the jobs that are to run elsewhere."""
        return [job for job in self._workflow.dag.needrun_jobs() if not job.is_local]

    def awaited(self) -> int:
        """Return how many submitted jobs have not been seen to end."""
        return sum(not job.is_local for job in list(self._workflow.scheduler.running))

    def lighten(self) -> None:
        """Spare Snakemake what costs time with thousands of jobs, before it makes the first of them."""
        without_input_sizes(JobScheduler)
        without_idle_checks(type(self._workflow.dag), conda=self._needs_conda)
        if self._workflow.local_exec and self._workflow.scheduling_settings:
            # A limit to jobs per second means one thread and one look at all waiting jobs more for every job.
            unlimited = replace(self._workflow.scheduling_settings, max_jobs_per_timespan=None)
            self._workflow.scheduling_settings = unlimited

    def decide_alone(self) -> None:
        """Keep Snakemake's records of earlier runs, which lie in the folder it is started in, from adding jobs.

        What has to run is decided in `wirbel.study.decision.batches`. Its marks of jobs that were cut off add
        nothing either. Parameters count: the rules that are decided there have none.
        """
        self._workflow.dag_settings = replace(
            self._workflow.dag_settings,
            rerun_triggers=frozenset([RerunTrigger.PARAMS]),
            force_incomplete=True,
        )

    def tell_dry_run(self, tell: Callable[[], None]) -> None:
        """In a dry run, unless it is verbose, call `tell` in place of Snakemake's dozen lines per job."""
        output = self._workflow.output_settings
        if output.dryrun and not output.verbose:
            # With both kinds of output off Snakemake ends a dry run before it "runs" every job.
            silent = {Quietness.RULES, Quietness.PROGRESS}
            self._workflow.output_settings = replace(output, quiet=silent)
            logger.addFilter(BeforeJobTable(tell))

    def at_nothing_to_do(self, end: Callable[[], None]) -> None:
        """Call `end` after Snakemake has found nothing to do: then it calls nobody itself."""
        logger.addFilter(AtNothingToDo(logger.info, end))

    def say(self, sentence: str, **more: str) -> None:
        """Tell a person something; `more` is for a logger plugin."""
        logger.info(sentence, extra=more)

    def say_at_the_end(self, text: str) -> None:
        """Say how the run ended, whatever Snakemake is told to be quiet about."""
        say_at_the_end(logger, self._workflow.output_settings, text)

    def warn(self, sentence: str) -> None:
        """Tell a person something that needs attention."""
        logger.warning(sentence)

    def refuse(self, sentence: str) -> NoReturn:
        """End this start when its jobs are known and the executor is there, which Snakemake then shuts down."""
        raise WorkflowError(sentence) from None

    def stop(self, sentence: str) -> NoReturn:
        """End this start before that; Snakemake would add lines of a traceback to an error in rules or functions."""
        raise SystemExit(sentence)
