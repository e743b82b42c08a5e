"""How far a batch has come: which of its manifests are valid under the present plan.

Manifests of an earlier run may stand behind a stage that has yet to run again; they say nothing about this run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import InfrastructureError
from wirbel.manifests.batches import batch_file, read_batch
from wirbel.manifests.findings import read_reviews, shifts_of, with_shifts
from wirbel.manifests.lineage import Tables, read_if_whole, read_manifests
from wirbel.manifests.records import OK, manifest_file
from wirbel.manifests.seals import Seal, read_seal
from wirbel.plan.chain import ALL_STAGES, STAGES
from wirbel.plan.plan import Plan, plan_file, read_plan
from wirbel.runner.machine.joblogs import read_job_log


@dataclass(frozen=True)
class Standing:
    """`tables` are the rows of the valid manifests, `next_stage` has yet to run; None where all have.

    `measured` scans have a result at the last stage; of a batch that has no failed scan the rows may be left unread.
    """

    tables: Tables
    next_stage: str | None
    scans: int
    measured: int


def present_plan(output_dir: Path) -> Plan | None:
    """Return the plan of the last run; None where there is none that can be read."""
    try:
        return read_plan(plan_file(output_dir))
    except InfrastructureError:
        return None


def standing(output_dir: Path, plan: Plan | None, batch: str, *, all_rows: bool) -> Standing:
    """Return how far a batch has come; with `all_rows` every valid manifest is read.

    Without a plan, manifests count up to the first that is missing.
    """
    if plan is None:
        return _without_plan(output_dir, batch)
    seals = valid_seals(output_dir, plan, batch)
    done = len(seals) == len(plan.stages)
    measured = seals[-1].measured if done else 0
    tables: Tables = {}
    if all_rows or not done or seals[-1].failed_scans:
        names = plan.names[: len(seals)]
        tables = {name: read_if_whole(manifest_file(output_dir, name, batch)) for name in names}
    next_stage = None if done else plan.names[len(seals)]
    return Standing(tables, next_stage, scans_in(output_dir, batch, seals), measured)


def valid_seals(output_dir: Path, plan: Plan, batch: str) -> tuple[Seal, ...]:
    """Return the seals from the first stage on, up to the first manifest that is missing or out of date."""
    found: list[Seal] = []
    for stage in plan.stages:  # no Path: there may be 200,000 manifests
        seal = read_seal(f"{output_dir}/work/{stage.stage}/{batch}.tsv")
        if seal is None or (found and not follows(output_dir, batch, seal, found[-1])):
            break
        if not plan.accepts(seal.made_by, stage.stage):
            break
        found.append(seal)
    return tuple(found)


def follows(output_dir: Path, batch: str, seal: Seal, before: Seal) -> bool:
    """Whether a manifest was made from what the one before holds, with names moved as readers say now."""
    if seal.made_from == before.holds:
        return True
    reviews = read_reviews(output_dir)
    names = [scan.scan_id for scan in read_batch(batch_file(output_dir, batch))] if reviews else []
    return seal.made_from == with_shifts(before.holds, shifts_of(reviews, names))


def _without_plan(output_dir: Path, batch: str) -> Standing:
    tables = read_manifests(output_dir, batch)
    last = tables.get(STAGES[-1], {})
    missing = [] if last else [stage for stage in ALL_STAGES if stage not in tables]
    begun = (s for s in missing if s in STAGES or read_job_log(output_dir, s, batch).starts)
    measured = sum(record.status == OK for record in last.values())
    return Standing(tables, next(begun, None), max(map(len, tables.values()), default=0), measured)


def scans_in(output_dir: Path, batch: str, seals: tuple[Seal, ...]) -> int:
    """Return the number of scans in a batch: by its first valid seal, else by its list."""
    if seals:
        return seals[0].measured + seals[0].failed_scans
    try:
        return max(0, batch_file(output_dir, batch).read_bytes().count(b"\n") - 1)
    except FileNotFoundError:
        return 0
