"""The loop that every per-scan stage runs in.

A stage's command line is::

    def main(argv: list[str] | None = None) -> int:
        parser = argparse.ArgumentParser(description=__doc__)
        add_runner_arguments(parser)
        parser.add_argument("--model", ...)             # the stage's own
        args = parser.parse_args(argv)
        return run_stage(MyStage(args.model), args, parameters={"n4": args.n4}, model_sha256=...)

`run_stage` reads the batch list, passes on scans that failed earlier, skips those whose record has the same
provenance key and whose outputs exist (`sorting`), and takes the others through the pipeline of loading,
computing and saving (`pipeline`, `steps`). After each scan the records are on disk; at the end the
manifest is written.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from wirbel.errors import InfrastructureError
from wirbel.io.atomic import sweep_temporaries
from wirbel.runner.alarm import Alarm
from wirbel.runner.arguments import add_runner_arguments
from wirbel.runner.batches import Scan, StageFolders
from wirbel.runner.codehash import stage_code_hash
from wirbel.runner.failures import machine_fault
from wirbel.runner.job import Job
from wirbel.runner.joblogs import FINISHED, STARTED, USED
from wirbel.runner.locks import sole_writer, whoami
from wirbel.runner.pipeline import overlap
from wirbel.runner.progress import Progress
from wirbel.runner.recipes import Recipe
from wirbel.runner.records import FAILED, OK, SKIPPED, Record, write_records
from wirbel.runner.sorting import sort_out
from wirbel.runner.stage import Stage, Work
from wirbel.runner.steps import Steps
from wirbel.runner.termination import TERMINATED, Terminated, sigterm_raises
from wirbel.runner.usage import usage

__all__ = ["Record", "Scan", "Stage", "StageFolders", "add_runner_arguments", "run_stage"]


def run_stage(
    stage: Stage,
    args: argparse.Namespace,
    parameters: dict[str, Any],
    model_sha256: str | None = None,
) -> int:
    """Run `stage` over the batch in `args`; return the process's exit code.

    `parameters` is everything besides code, model and input that decides the result (JSON types).
    0: the manifest is written, failed scans among its rows. 1: the machine or the set-up is at fault, one
    sentence on stderr, no manifest. 143: terminated. Finished scans stay recorded in every case.
    """
    recipe = Recipe(
        stage.name, args.code_hash or stage_code_hash(stage.name), parameters, model_sha256
    )
    if args.describe:
        print(recipe.as_text())
        return 0
    try:
        with sigterm_raises():
            _run(Job(stage, args, recipe))
        return 0
    except Terminated:
        print(f"{stage.name}: terminated; finished scans are kept", file=sys.stderr)
        return TERMINATED
    except Exception as error:
        sentence = machine_fault(error, writing=True)
        if sentence is None:
            raise
        print(f"{stage.name}: {sentence}", file=sys.stderr)
        return 1


def _run(job: Job) -> None:
    """Do what is left of the batch and write its manifest."""
    manifest = job.args.manifest
    with sole_writer(job.lock, None, job.progress.say) as job.heartbeat:
        job.tell(f"{STARTED}: {len(job.scans)} scans, {whoami()}")
        for folder in (manifest.parent, job.args.batch.parent):
            sweep_temporaries(folder)
        job.ledger.open()
        todo = sort_out(job)
        if todo:
            _prepare(job)
            _compute(job, todo)
        rows = job.ledger.close(job.keys)
        write_records(manifest, rows)
        _summarize(job, rows, len(todo))


def _prepare(job: Job) -> None:
    try:
        job.stage.prepare()
    except Exception as error:
        sentence = machine_fault(error) or f"{type(error).__name__}: {error}"
        raise InfrastructureError(f"cannot start: {sentence}") from error
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(job.args.threads)


def _compute(job: Job, todo: list[Work]) -> None:
    job.progress = Progress(job.title, len(todo))
    steps = Steps(job, Alarm(job.args.max_failed_fraction))
    try:
        overlap(todo, steps.load, steps.compute, steps.save)
    finally:
        job.progress.close()


def _summarize(job: Job, rows: list[Record], computed: int) -> None:
    counts = {state: sum(r.status == state for r in rows) for state in (OK, FAILED, SKIPPED)}
    job.tell(USED.format(usage()))
    told = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    job.tell(f"{told or 'no scans'}; {computed} of {len(rows)} {FINISHED}")
