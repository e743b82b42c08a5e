"""Decide which tables and pictures must be made again, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wirbel.manifests.receipts import (
    PICTURES,
    digest_of_seals,
    pictures_receipt,
    read_receipt,
)
from wirbel.plan.plan import Plan
from wirbel.study.decision.batches import DAMAGED, Decision
from wirbel.study.listing.discovery import BatchPlan
from wirbel.study.settings.differences import differences

AFTER = {"report": ("cohort", PICTURES)}
"""Table or page -> those that it is made from, which come before it."""
PERSONS = "participants.tsv, or what is odd in the data set, changed"


def decide_tables(
    output_dir: Path,
    plan: Plan,
    found: BatchPlan,
    decision: Decision,
    mark: str,
    pictures: Mapping[str, list[str]],
) -> dict[str, list[str]]:
    """Return why each of the plan's tables must be made again; an empty list if it need not.

    `mark` differs when the tables would, though no scan does (`wirbel.study.listing.dataset`). `pictures` says
    the same of each batch's pictures.
    """
    causes: dict[str, list[str]] = {}
    batches = list(found.batches)
    for name in (table for table in plan.tables if table != PICTURES):
        own = "" if name == "contact_sheet" else mark
        running = [*(t for t in causes if causes[t]), *([PICTURES] if pictures else [])]
        before = [table for table in AFTER.get(name, ()) if table in running]
        asked = _Asked(name, name, stages_of(plan, name), batches, own)
        told = _causes(output_dir, plan, decision, asked)
        causes[name] = told or [f"follows {table}" for table in before]
    return causes


def decide_pictures(
    output_dir: Path, plan: Plan, found: BatchPlan, decision: Decision
) -> dict[str, list[str]]:
    """Return batch -> why its pictures must be drawn anew, of the batches whose pictures must."""
    stages = plan.names[-2:]
    asked = [_Asked(PICTURES, pictures_receipt(b), stages, [b]) for b in found.batches]
    causes = {one.batches[0]: _causes(output_dir, plan, decision, one) for one in asked}
    return {batch: told for batch, told in causes.items() if told}


@dataclass(frozen=True)
class _Asked:
    """What is asked about: its plan, its receipt, and the manifests that it is made from."""

    name: str
    receipt: str
    stages: tuple[str, ...]
    batches: list[str]
    mark: str = ""


def stages_of(plan: Plan, table: str) -> tuple[str, ...]:
    """Return the per-scan stages whose manifests a table is made from: of the sheet, those that name the vertebrae."""
    return plan.names[-2:] if table == "contact_sheet" else plan.names


def _causes(output_dir: Path, plan: Plan, decision: Decision, asked: _Asked) -> list[str]:
    stages = asked.stages
    if any(decision.runs(stages[-1], batch) for batch in asked.batches):
        return [f"follows {stages[-1]}"]
    receipt = read_receipt(output_dir, asked.receipt)
    if receipt is None:
        return ["not made yet"]
    causes: list[str] = []
    own = plan.tables[asked.name]
    if receipt.made_by != own.fingerprint:
        causes += differences(decision.known.get(receipt.made_by), own)
    seals = {(s, batch): decision.seals[s, batch] for s in stages for batch in asked.batches}
    if receipt.made_from != digest_of_seals(seals, asked.mark):
        causes.append(PERSONS if asked.mark else "its inputs changed")
    if receipt.damaged(output_dir):
        causes.append(DAMAGED)
    return causes
