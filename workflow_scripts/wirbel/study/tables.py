"""Which tables and pictures must be made anew, and why."""

from __future__ import annotations

from pathlib import Path

from wirbel.plan.plan import Plan
from wirbel.runner.discovery import BatchPlan
from wirbel.runner.receipts import digest_of_seals, read_receipt
from wirbel.study.decision import DAMAGED, Decision
from wirbel.study.differences import differences


def decide_tables(
    output_dir: Path, plan: Plan, found: BatchPlan, decision: Decision, data_set: str
) -> dict[str, list[str]]:
    """Return why each of the plan's tables must be made anew; an empty list where it need not.

    `data_set` is the mark of what the tables of the cohort take from the data set itself (`wirbel.study.dataset`).
    """
    marks = {"cohort": data_set}
    return {
        name: _causes(output_dir, plan, found, decision, name, marks.get(name, ""))
        for name in plan.tables
    }


def stages_of(plan: Plan, table: str) -> tuple[str, ...]:
    """Return the per-scan stages whose manifests a table is made from."""
    return plan.names if table == "cohort" else (plan.naming,)


def _causes(output_dir, plan, found, decision, name, more) -> list[str]:
    stages = stages_of(plan, name)
    if decision.running(*stages):
        return [f"follows {stages[-1]}"]
    receipt = read_receipt(output_dir, name)
    if receipt is None:
        return ["not made yet"]
    causes = []
    if receipt.made_by != plan.tables[name].fingerprint:
        causes += differences(decision.known.get(receipt.made_by), plan.tables[name])
    seals = {
        (stage, batch): decision.seals[stage, batch] for stage in stages for batch in found.batches
    }
    if receipt.made_from != digest_of_seals(seals, more):
        causes.append("its inputs changed")
    if receipt.damaged(output_dir):
        causes.append(DAMAGED)
    return causes
