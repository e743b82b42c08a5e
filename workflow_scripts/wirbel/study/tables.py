"""Decide which tables and pictures must be made again, and why."""

from __future__ import annotations

from pathlib import Path

from wirbel.plan.plan import Plan
from wirbel.runner.discovery import BatchPlan
from wirbel.runner.receipts import digest_of_seals, read_receipt
from wirbel.study.decision import DAMAGED, Decision
from wirbel.study.differences import differences

AFTER = {"report": ("cohort",)}
"""Table or page -> those that it is made from, which come before it."""
PERSONS = "participants.tsv, or what is odd in the data set, changed"


def decide_tables(
    output_dir: Path, plan: Plan, found: BatchPlan, decision: Decision, mark: str
) -> dict[str, list[str]]:
    """Return why each of the plan's tables must be made again; an empty list if it need not.

    `mark` changes if the tables would, even if no scan does (`wirbel.study.dataset`).
    """
    causes: dict[str, list[str]] = {}
    for name in plan.tables:
        own = "" if name == "contact_sheet" else mark
        before = [table for table in AFTER.get(name, ()) if causes.get(table)]
        told = _causes(output_dir, plan, found, decision, name, own)
        causes[name] = told or [f"follows {table}" for table in before]
    return causes


def stages_of(plan: Plan, table: str) -> tuple[str, ...]:
    """Return the per-scan stages whose manifests a table is made from."""
    return (plan.naming,) if table == "contact_sheet" else plan.names


def _causes(output_dir, plan, found, decision, name, mark) -> list[str]:
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
    if receipt.made_from != digest_of_seals(seals, mark):
        causes.append(PERSONS if mark else "its inputs changed")
    if receipt.damaged(output_dir):
        causes.append(DAMAGED)
    return causes
