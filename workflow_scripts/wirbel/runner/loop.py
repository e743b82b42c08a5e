"""The loop that every per-scan stage runs in.

A stage's command line is::

    def main(argv: list[str] | None = None) -> int:
        return run_planned("mine", lambda plan, args: MyStage(plan.settings), __doc__, argv)

The stage is made from its part of the plan alone. `run_stage` reads the batch list, passes on scans that failed
earlier, skips those whose record has the same provenance key and whose outputs exist (`due_scans`), and takes the
others through the pipeline of loading, computing and saving (`pipeline`, `steps`). After each scan the records
are on disk; at the end the manifest is written, under its seal (`seals`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from wirbel.errors import InfrastructureError
from wirbel.io.atomic import sweep_temporaries
from wirbel.manifests.batches import Scan, StageFolders
from wirbel.manifests.records import FAILED, OK, SKIPPED, Record, write_records
from wirbel.manifests.seals import seal_line
from wirbel.plan.chain import GPU_STAGES
from wirbel.plan.code.codehash import stage_code_hash
from wirbel.plan.plan import read_plan
from wirbel.plan.stage_plan import StagePlan
from wirbel.runner.arguments import stage_arguments
from wirbel.runner.due_scans import sort_out
from wirbel.runner.failures import Alarm, machine_fault
from wirbel.runner.job import Job
from wirbel.runner.machine.joblogs import FINISHED, STARTED, USED
from wirbel.runner.machine.locks import sole_writer, whoami
from wirbel.runner.machine.one_gpu import hold_one
from wirbel.runner.machine.process import TERMINATED, Terminated, sigterm_raises, used_lately
from wirbel.runner.pipeline import overlap
from wirbel.runner.progress import Progress
from wirbel.runner.stage import Stage, Work
from wirbel.runner.steps import Steps

__all__ = ["Record", "Scan", "Stage", "StageFolders", "run_planned", "run_stage"]


def run_planned(
    name: str,
    make: Callable[[StagePlan, argparse.Namespace], Stage],
    description: str | None,
    argv: list[str] | None,
) -> int:
    """Run stage `name` as a command line asks; `make` constructs it from its part of the plan.

    Raises nothing: a plan that is damaged, or was made by other code than this, ends in one sentence and code 1.
    """
    args = stage_arguments(name, description, argv)
    try:
        planned = read_plan(args.plan).stage(name)
        _check_code(planned)
        if GPU_STAGES.get(name) and args.device != "cpu":
            hold_one()
        stage = make(planned, args)
    except (InfrastructureError, ValueError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return run_stage(stage, args)


def _check_code(planned: StagePlan) -> None:
    """Refuse to compute with code that was changed since the run began: its results would bear the old code's keys."""
    if stage_code_hash(planned.stage) != planned.code:
        raise InfrastructureError(
            "the software was changed while the workflow was running; run the same command again"
        )


def run_stage(stage: Stage, args: argparse.Namespace) -> int:
    """Run `stage` over the batch in `args` by the plan named there; return the process's exit code.

    0: the manifest is written, failed scans among its rows. 1: the machine or the set-up is at fault, one
    sentence on stderr, no manifest. 143: terminated. Finished scans stay recorded in every case.
    """
    try:
        with sigterm_raises():
            _run(Job(stage, args))
        return 0
    except (Terminated, KeyboardInterrupt):
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
    with sole_writer(job.lock, None, job.progress.say) as job.heartbeat:
        job.tell(f"{STARTED}: {len(job.scans)} scans, {whoami()}")
        for folder in (job.manifest.parent, job.list_file.parent):
            sweep_temporaries(folder)
        job.ledger.open()
        todo = sort_out(job)
        if todo:
            _prepare(job)
            _compute(job, todo)
        rows = job.ledger.close(job.keys)
        write_records(job.manifest, rows, seal_line(job.seal(rows)))
        _summarize(job, rows, len(todo))


def _prepare(job: Job) -> None:
    if job.others:
        job.stage.others = job.others  # type: ignore[attr-defined]
    try:
        job.stage.prepare()
    except Exception as error:
        sentence = machine_fault(error) or f"{type(error).__name__}: {error}"
        raise InfrastructureError(f"cannot start: {sentence}") from error
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(job.threads)


def _compute(job: Job, todo: list[Work]) -> None:
    job.progress = Progress(job.title, len(todo))
    steps = Steps(job, Alarm(job.wishes.max_failed_fraction))
    try:
        overlap(todo, steps.load, steps.compute, steps.save)
    finally:
        job.progress.close()


def _summarize(job: Job, rows: list[Record], computed: int) -> None:
    counts = {state: sum(r.status == state for r in rows) for state in (OK, FAILED, SKIPPED)}
    job.tell(USED.format(used_lately()))
    told = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    job.tell(f"{told or 'no scans'}; {computed} of {len(rows)} {FINISHED}")
