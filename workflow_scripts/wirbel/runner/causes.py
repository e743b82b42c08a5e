"""Why a planned job would run, in words, and which scans it would compute.

Jobs and the graph are Snakemake's; nothing of Snakemake is imported, only the few members used here are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wirbel.runner.discovery import BatchPlan, ListChange
from wirbel.runner.records import FAILED, read_records

LATER = "a later stage changed that reads its results"
PARAMETERS = {
    "code": "the code changed",
    "fingerprint": "the model's files changed",
    "model": "another model is set",
    "instance_model": "another model is set",
    "drop": "setting keep_intermediates changed",
    "later": LATER,
    "data_set": "participants.tsv, or what is odd in the data set, changed",
}
"""What another value of a rule's parameter means; the others are settings of the same name."""
NOT_ASKED = "false"
"""Value of the parameter `retry` where nothing is to be tried again (wirbel.runner.records.retry_mark)."""


@dataclass(frozen=True)
class Cause:
    """One reason of a job; `scans` are those it concerns, None all of the batch."""

    text: str
    scans: frozenset[str] | None = None


def causes_of(job: Any, dag: Any, plan: BatchPlan) -> Iterator[Cause]:
    """Yield why Snakemake wants to run `job`, apart from changes in its batch's list (`list_change`)."""
    reason, change = dag.reason(job), list_change(job, plan)
    if reason.forced:
        yield Cause("asked for by --force")
    if reason.incomplete_output:
        yield Cause("was cut off")
    if reason.missing_output and not _is_new(change, job, plan):
        yield Cause("not computed yet")
    if (reason.updated_input or reason.input_changed) and change == ListChange():
        yield Cause("its inputs changed")
    if reason.code_changed:
        yield Cause("the rule changed")
    if reason.software_stack_changed:
        yield Cause("the software environment changed")
    if not reason.missing_output:
        yield from _parameter_causes(job, dag)


def list_change(job: Any, plan: BatchPlan) -> ListChange:
    """Return how the list of the job's batch changes; nothing for jobs without a batch."""
    return plan.changes.get(batch_of(job), ListChange())


def batch_of(job: Any) -> str:
    """Return the job's batch, or an empty text."""
    return job.wildcards_dict.get("batch", "")


def _is_new(change: ListChange, job: Any, plan: BatchPlan) -> bool:
    """Whether the batch did not exist before: then its scans being new says it all."""
    return len(change.new) == plan.sizes.get(batch_of(job), -1)


def _parameter_causes(job: Any, dag: Any) -> Iterator[Cause]:
    """Compare with what was recorded when the job last ran, also where Snakemake had reason enough before."""
    change = dag.workflow.persistence.params_changed(job)
    if not change:
        return
    named = [(name, value) for name, value in job.params.items() if repr(value) in change.only_new]
    for name, value in named:
        if name == "retry" and value != NOT_ASKED:
            yield Cause("failed scans are tried again", _failed(job, value))
        elif name == "retry":
            yield Cause("failed scans are no longer tried again", frozenset())
        else:
            yield Cause(PARAMETERS.get(name, f"setting {name} changed"))
    if not named:
        yield Cause("a setting changed")


def _failed(job: Any, retry: str) -> frozenset[str]:
    """Return the scans of the job's manifest that `retry` (reasons, or "true") asks to try again."""
    wanted = retry.partition("@")[0]
    failed = [record for record in read_records(job.output[0]).values() if record.status == FAILED]
    return frozenset(r.scan_id for r in failed if wanted == "true" or r.reason in wanted.split(","))
