"""Decide which batches of which stages must run, and why, from the output folder alone.

A manifest is up to date if its seal names the current plan of its stage and the current content of
the previous manifest, and if the results it promises exist. Snakemake gets the decision; file times
and Snakemake's own records decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from wirbel.io.dataset.presence import absence
from wirbel.manifests.batch_assignment import read_assignment
from wirbel.manifests.batches import batch_file, read_batch
from wirbel.manifests.findings import with_shifts
from wirbel.manifests.records import (
    FAILED,
    OK,
    DamagedManifest,
    manifest_file,
    read_records,
    records_by_stage,
)
from wirbel.manifests.seals import Seal, read_seal
from wirbel.plan.chain import LABEL, LAST_READER, READS_ALSO
from wirbel.plan.plan import INGEST, Plan, known_stages
from wirbel.plan.stage_plan import StagePlan
from wirbel.study.decision.results import ResultCheck
from wirbel.study.listing.discovery import BatchPlan
from wirbel.study.settings.differences import differences

NO_SHIFTS: Mapping[str, int] = MappingProxyType({})
LATER = "a later stage changed that reads its results"
DAMAGED = "results are missing or damaged"
NEVER = "not computed yet"
LIST = "its list changed"
INPUTS = "its inputs changed"


@dataclass(frozen=True)
class Cause:
    """One reason for a job; `scans` are those it concerns, None all of the batch."""

    text: str
    scans: frozenset[str] | None = None


@dataclass
class Decision:
    """What must run.

    Attributes
    ----------
    causes : dict
        (stage, batch) -> its own reasons, if it has any.
    first : dict
        Batch -> first stage; from there on all stages of the batch run.
    seals : dict
        (stage, batch) -> seal of every existing manifest.
    damaged : dict
        (stage, batch) -> results by scan that are missing or no longer what was written.
    spoiled : list
        Manifests that are no longer what was written.
    """

    stages: tuple[str, ...]
    causes: dict[tuple[str, str], tuple[Cause, ...]] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    seals: dict[tuple[str, str], Seal] = field(default_factory=dict)
    damaged: dict[tuple[str, str], dict] = field(default_factory=dict)
    spoiled: list[Path] = field(default_factory=list)
    unread: int = 0
    known: Mapping[str, StagePlan] = field(default_factory=dict)
    """The stage plans of earlier runs, by fingerprint."""

    def runs(self, stage: str, batch: str) -> bool:
        """Return True if the stage runs on the batch."""
        return batch in self.first and self.stages.index(stage) >= self.first[batch]

    def begins(self, stage: str, batch: str) -> bool:
        """Return True if it is the first stage that runs on the batch."""
        return self.first.get(batch) == self.stages.index(stage)

    def running(self, *stages: str) -> list[tuple[str, str]]:
        """Return (stage, batch) of all jobs of these stages, stage by stage."""
        return [
            (stage, batch) for stage in stages for batch in self.first if self.runs(stage, batch)
        ]


def decide(
    output_dir: Path, plan: Plan, found: BatchPlan, shifts: Mapping[str, int] = NO_SHIFTS
) -> Decision:
    """Return what must run; writes nothing. `shifts`: scans whose level names a reader moved, and how far."""
    return _Decider(output_dir, plan, found, shifts).decision()


class _Decider:
    def __init__(self, output_dir: Path, plan: Plan, found: BatchPlan, shifts) -> None:
        self._output_dir, self._plan, self._found = output_dir, plan, found
        self._shifts = self._shifts_by_batch(shifts)
        self._known = known_stages(output_dir)
        self._check = ResultCheck(output_dir)
        self._asked = self._recompute()
        self._decision = Decision(plan.names, known=self._known)

    def decision(self) -> Decision:
        for batch in self._found.batches:
            self._decide(batch)
        self._decision.unread = self._check.unread
        return self._decision

    def _decide(self, batch: str) -> None:
        causes: dict[str, tuple[Cause, ...]] = {}
        before: str | None = self._found.digests[batch]
        for stage in self._plan.stages:
            if stage.stage == self._plan.names[-1] and before is not None:
                before = with_shifts(before, self._shifts.get(batch, {}))
            seal = read_seal(self._manifest(stage.stage, batch))
            if found := tuple(self._causes(stage, batch, seal, before)):
                causes[stage.stage] = found
            if seal is not None:
                self._decision.seals[stage.stage, batch] = seal
            elif (manifest := self._manifest(stage.stage, batch)).exists():
                self._decision.spoiled.append(manifest)
            before = seal.holds if seal else None
        if not causes:
            return
        first = min(map(self._plan.names.index, causes))
        if self._lacks_inputs(first, batch):
            causes[self._plan.names[0]], first = (Cause(LATER),), 0
        self._decision.causes |= {(stage, batch): found for stage, found in causes.items()}
        self._decision.first[batch] = first

    def _causes(
        self, stage: StagePlan, batch: str, seal: Seal | None, before: str | None
    ) -> Iterator[Cause]:
        """Yield why the stage's manifest of a batch is out of date."""
        first = stage.stage == self._plan.names[0]
        if first and batch in self._asked:
            yield Cause("asked for by recompute", self._asked[batch])
        if seal is None:
            yield Cause(NEVER)
            return
        other_plan = not self._plan.accepts(seal.made_by, stage.stage)
        other_input = before is not None and seal.made_from != before
        if other_plan:
            yield from map(Cause, differences(self._known.get(seal.made_by), stage))
        if other_input:
            yield self._other_input(batch, first)
        if set(stage.drops) - set(seal.drops):
            yield Cause("setting keep_intermediates changed")
        if self._plan.wishes.try_again(*seal.failed):
            yield Cause("failed scans are tried again", self._failed(stage, batch))
        if there := self._there_again(seal, batch):
            yield Cause("their files can be read now", there)
        # A run that was killed may have replaced results that an outdated manifest still lists: they
        # are not damaged, and the job checks each of them against its own record.
        outdated = other_plan or other_input
        if stage.stage in self._plan.names[-2:] and not outdated:
            yield from self._damaged(stage.stage, batch)

    def _damaged(self, stage: str, batch: str) -> Iterator[Cause]:
        """Yield a cause if results, or the manifest that lists them, are not as they were written."""
        try:
            damaged = self._check.damaged(self._manifest(stage, batch))
        except DamagedManifest:
            self._decision.spoiled.append(self._manifest(stage, batch))
            yield Cause(DAMAGED)
            return
        if damaged:
            self._decision.damaged[stage, batch] = damaged
            yield Cause(DAMAGED, frozenset(damaged))

    def _shifts_by_batch(self, shifts: Mapping[str, int]) -> dict[str, dict[str, int]]:
        """Return batch -> scan -> shift, scans in the order of the batch's list."""
        found: dict[str, dict[str, int]] = {}
        known = self._found.assignment or read_assignment(self._output_dir) if shifts else {}
        for scan in sorted(shifts.keys() & known.keys()):
            found.setdefault(known[scan], {})[scan] = shifts[scan]
        return found

    def _other_input(self, batch: str, first: bool) -> Cause:
        change = self._found.changes.get(batch)
        if first and change is not None:
            return Cause(LIST, change.new | change.changed)
        return Cause(INPUTS)

    def _failed(self, stage: StagePlan, batch: str) -> frozenset[str] | None:
        """Return the scans that `retry_failed` selects; None, for all, where the manifest is damaged."""
        try:
            records = read_records(self._manifest(stage.stage, batch)).values()
        except DamagedManifest:
            return None
        again = self._plan.wishes.try_again
        return frozenset(r.scan_id for r in records if r.status == FAILED and again(r.reason))

    def _there_again(self, seal: Seal, batch: str) -> frozenset[str]:
        """Return the scans whose file could not be read then and can be read now."""
        if not seal.absent:
            return frozenset()
        path = batch_file(self._output_dir, batch)
        scans = read_batch(path) if path.exists() else []
        waiting = [scan for scan in scans if scan.scan_id in seal.absent]
        return frozenset(scan.scan_id for scan in waiting if not absence(scan.path))

    def _lacks_inputs(self, first: int, batch: str) -> bool:
        """Return True if results that the first stage needs were removed; then all stages run."""
        stage = self._plan.stages[first]
        if (
            not first
            or stage.stage not in self._plan.names[: self._plan.names.index(self._plan.naming) + 1]
        ):
            return False
        before = self._plan.names[first - 1]
        done: Mapping | None = None
        try:
            rows = {
                s: read_records(self._manifest(s, batch))
                for s in (before, *READS_ALSO.get(stage.stage, ()), *self._converted(stage.stage))
            }
        except DamagedManifest:
            return True
        for scan_id, record in rows[before].items():
            read = [table[scan_id] for table in rows.values() if scan_id in table]
            if record.status != OK or all(r.is_complete(self._output_dir) for r in read):
                continue
            if done is None:
                done = records_by_stage(self._output_dir, batch).get(stage.stage, {})
            own = done.get(scan_id)
            if (
                own is None
                or own.key != stage.key(record.key)
                or not own.is_complete(self._output_dir)
            ):
                return True
        return False

    def _converted(self, stage: str) -> tuple[str, ...]:
        """Return INGEST if the stage opens the scan that INGEST made, too."""
        return (INGEST,) if self._plan.ingested and stage in (LAST_READER, LABEL) else ()

    def _recompute(self) -> dict[str, frozenset[str]]:
        """Return the scans to compute again in any case, by batch."""
        if not self._plan.wishes.recompute:
            return {}
        asked: dict[str, set[str]] = {}
        for scan_id, batch in read_assignment(self._output_dir).items():
            if self._plan.wishes.compute_again(scan_id):
                asked.setdefault(batch, set()).add(scan_id)
        return {batch: frozenset(scans) for batch, scans in asked.items()}

    def _manifest(self, stage: str, batch: str) -> Path:
        return manifest_file(self._output_dir, stage, batch)
