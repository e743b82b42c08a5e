"""What rules are made of: patterns of paths, input functions, resources and command lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from wirbel.manifests.batches import BATCH_PATTERN
from wirbel.manifests.receipts import receipt_file
from wirbel.models.store import VARIABLE as MODELS_VARIABLE
from wirbel.plan.chain import (
    DRAWING,
    StageNeeds,
    jobs,
    stage_before,
    stages_of_job,
    stages_of_run,
)
from wirbel.plan.code.codehash import stage_code_hash
from wirbel.plan.plan import plan_file
from wirbel.study.checks.command_line import repeated_config
from wirbel.study.checks.output_folder import check_output_folder
from wirbel.study.checks.start import check_reference, check_start_folder
from wirbel.study.decision.tables import AFTER, stages_of
from wirbel.study.refused import Refused
from wirbel.study.run import usual_inputs
from wirbel.study.settings.run_settings import Settings, SettingsError, checked_settings
from wirbel.study.workflow import on_slurm
from wirbel.study.workflow.environment import put_on_path
from wirbel.study.workflow.session import Session
from wirbel.study.workflow.start import Start
from wirbel.study.workflow.training import trained_networks

LONGEST_MINUTES = 365 * 24 * 60
"""What further attempts of a job may ask for where no partition says less."""


class StudyRules:
    """Made once from Snakemake's `workflow` and `config`, when it reads the rules.

    `chain` is the table of jobs, `output_dir` and `logs` are folders, `plan_argument` is all that a job is told
    besides its batch: the plan holds everything that decides its results.
    """

    chain: tuple[StageNeeds, ...] = jobs()
    drawing: StageNeeds = DRAWING
    batch_pattern = BATCH_PATTERN

    def __init__(self, workflow: Any, config: dict[str, Any], root: Path) -> None:
        inherited = dict(os.environ)
        put_on_path(root / "workflow_scripts")
        self._session = Session(workflow)
        self.config = config
        self.settings = self._checked(root / "config" / "schemas" / "config.schema.json")
        self._start = Start(self.settings, self._session, inherited)
        self.stages = stages_of_run("labelling" in self.settings.models, self.settings.ingests)
        self.output_dir = self.settings.output_dir
        self.logs = f"{self.output_dir}/logs"
        self.output_argument = f" --output-dir {quote(self.output_dir)}"
        self.plan_argument = (
            f" --plan {quote(str(plan_file(self.output_dir)))} --threads {{threads}}"
        )
        self.longest_minutes = LONGEST_MINUTES
        self._session.tell_dry_run(self._start.tell_dry_run)
        self._session.at_nothing_to_do(self._start.end_without_jobs)

    def _checked(self, schema: Path) -> Settings:
        """Return the settings; ends this start where they are wrong, or the output folder is somebody else's."""
        try:
            settings = checked_settings(self.config, schema, sys.argv)
            if self._session.is_main:
                if told := repeated_config(sys.argv):
                    raise Refused(told)
                check_start_folder()
                check_output_folder(settings.output_dir, settings.bids_dir)
        except (SettingsError, Refused) as error:
            self._session.stop(str(error))
        if settings.models_dir:
            os.environ[MODELS_VARIABLE] = os.path.abspath(settings.models_dir)
        return settings

    # Paths and commands

    def manifests(self, job: str) -> list[str]:
        """Return the patterns of the manifests that a job writes."""
        return [f"{self.output_dir}/work/{stage}/{{batch}}.tsv" for stage in stages_of_job(job)]

    def program(self, job: str) -> str:
        """Return what follows `wirbel.stages` in a job's command: one stage's module, or several stages' names."""
        names = stages_of_job(job)
        return f".{job}" if len(names) == 1 else f" {' '.join(names)}"

    def job_log(self, stage: str) -> str:
        """Return the pattern of a per-batch job's log."""
        return f"{self.logs}/{stage}/{{batch}}.log"

    def receipt(self, stage: str) -> str:
        """Return what stands for tables or pictures, as manifests stand for batches."""
        return str(receipt_file(self.output_dir, stage))

    @property
    def batch_arguments(self) -> str:
        """What follows the program of a per-scan stage: all that a job is told, and its log.

        What is worth keeping of the log is in the batch's own when the job has ended well
        (wirbel.runner.machine.joblogs).
        """
        told = f"{self.plan_argument} --batch {{wildcards.batch}}"
        return f"{told} >> {{log:q}} 2>&1 && (rm -f {{log:q}} || true)"

    # Input functions

    def inputs_of(self, stage: str) -> Callable:
        """Return an input function: the manifest of the stage before, if a job is about to make it."""
        before = stage_before(stage, self.stages)

        def paths(wildcards):
            if not self._session.is_main:
                return usual_inputs(self.output_dir, before, wildcards.batch)
            return self._start.run.inputs(stage, wildcards.batch, shown=self._shown)

        return paths

    def gathered_by(self, table: str) -> Callable:
        """Return an input function of what is made from the manifests of all batches, or from other tables."""

        def paths(wildcards):
            if not self._session.is_main:
                return []
            run = self._start.run
            stage = None if table in AFTER else stages_of(run.plan, table)[-1]
            return run.gathered(table, stage, shown=self._shown)

        return paths

    def manifests_to_make(self, wildcards: Any) -> list[str]:
        """Return the manifests with which batches that are out of date begin; the tables ask for the last ones."""
        self.needs_bids_dir(wildcards)
        return self._start.run.beginnings() if self._session.is_main else []

    def needs_bids_dir(self, wildcards: Any) -> list[str]:
        """Return no file; stop when no folder for scans was named."""
        self._start.need_bids_dir()
        return []

    def needs_reference(self, wildcards: Any) -> list[str]:
        """Return no file; stop when there is nothing to compare with, before anything is computed."""
        if self._session.is_main:
            with self._start.explained("the reference cannot be looked at"):
                check_reference(self.reference)
        return []

    def trained(self, folder: str, settings: str) -> Callable:
        """Return an input function: a file for each network that a training by these settings leaves."""

        def paths(wildcards):
            kinds = trained_networks(Path(settings), bool(self.config["train"]["translator"]))
            return [f"{folder}/{kind}.done" for kind in kinds]

        return paths

    @property
    def _shown(self) -> bool:
        return not (self._session.is_run or self._session.is_touch)

    # Parameters and resources

    @property
    def reference(self) -> str:
        """What `snakemake evaluate` compares the results with."""
        return self.config["reference"] or f"{self.settings.bids_dir}/derivatives/truth"

    @property
    def models_to_fetch(self) -> list[str]:
        """The models as the stage `models` takes them."""
        models = self.config["models"]
        return [models] if isinstance(models, str) else [f"{k}={v}" for k, v in models.items()]

    def code_of(self, stage: str) -> Callable:
        """Return a params function: the hash of the code that a stage beside the chain uses."""
        return lambda wildcards: stage_code_hash(stage)

    def megabytes(self, first: int) -> Callable:
        """Return a resource function: so many MB, that much more with every further attempt."""
        return lambda wildcards, attempt: first * attempt

    def needs(self, stage: StageNeeds) -> Mapping[str, Any]:
        """Return the resources of a per-scan stage's job."""
        gpus = {"gpu": stage.gpus} if stage.gpus else {}
        return {"mem_mb": self.megabytes(stage.mem_mb), "runtime": self._minutes(stage), **gpus}

    def _minutes(self, stage: StageNeeds) -> Callable:
        """Return a resource function: time for a start and for each scan of the batch, more with every attempt.

        But no more than the partitions allow: scans that an earlier attempt has finished are not computed again.
        """

        def asked(wildcards, attempt):
            first = stage.start_minutes + stage.minutes_per_scan * self._scans_in(wildcards.batch)
            return max(first, min(attempt * first, self.longest_minutes))

        return asked

    def _scans_in(self, batch: str) -> int:
        """Return the number of scans in a batch; only the main process, which submits jobs, needs it right."""
        if not self._session.is_main:
            return self.settings.batch_size
        return self._start.run.found.sizes.get(batch, self.settings.batch_size)

    # Beginning and end

    def on_start(self) -> None:
        """Prepare SLURM, where jobs go there."""
        if self._session.submits_to_slurm:
            limit = on_slurm.prepare(self._session, self.output_dir)
            self.longest_minutes = min(self.longest_minutes, limit)

    def on_end(self, code: int) -> None:
        """Say what came out of the run; `code` is what Snakemake ends with."""
        self._start.end(code)
