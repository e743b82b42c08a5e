"""Say what a run would do and why, in one line per stage; and what is new, changed, gone or absent.

Snakemake's own account has a dozen lines per job, which nobody reads for thousands of jobs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from wirbel.plan.chain import job_of, stages_of_job
from wirbel.study.decision.batches import INPUTS, LATER, LIST, NEVER, Cause, Decision
from wirbel.study.listing.batch_rows import ListChange
from wirbel.study.listing.discovery import BatchPlan

KINDS = ("new", "changed", "gone")


@dataclass
class StageAccount:
    """What the planned jobs of one stage have in common."""

    per_batch: bool
    jobs: int = 0
    scans: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    """Number of scans by change: new, changed, gone."""
    causes: Counter[str] = field(default_factory=Counter)
    """Number of jobs by cause."""

    def add(self, size: int, change: ListChange, causes: Iterable[Cause]) -> None:
        """Count one job, which would compute `size` scans."""
        self.jobs += 1
        self.scans += size
        self.changes.update({kind: len(getattr(change, kind)) for kind in KINDS})
        self.causes.update({cause.text for cause in causes})

    def sentence(self, name: str, batches: int) -> str:
        """Return the stage's line; `batches` is how many there are."""
        parts = [
            _number(self.changes[kind], f"{kind} scan") for kind in KINDS if self.changes[kind]
        ]
        for cause, count in sorted(self.causes.items()):
            parts.append(cause + (f" (in {_number(count, 'batch')})" if count < self.jobs else ""))
        extent = ""
        if self.per_batch:
            extent = (
                f"{_number(self.scans, 'scan')} in {self.jobs:,} of {_number(batches, 'batch')}: "
            )
        return f"  {name:14} {extent}{', '.join(parts)}"


def account(
    jobs: Iterable[tuple[str, str]],
    decision: Decision,
    found: BatchPlan,
    tables: dict[str, list[str]],
    at_work: str = "",
) -> str:
    """Return what a run would do and why.

    The number of scans is the largest that could be computed: a scan whose result is still valid is
    kept.

    Parameters
    ----------
    jobs : iterable of (rule, batch or "")
        All jobs that Snakemake plans.
    decision : Decision
        What must run.
    found : BatchPlan
        The data set's batches.
    tables : dict of str to list of str
        Causes of jobs without a batch.
    at_work : str
        A process that runs the workflow on the same folder at this moment.
    """
    planned: dict[str, list[str]] = {}
    for rule, batch in jobs:
        planned.setdefault(rule, []).append(batch)
    concerned: dict[str, frozenset[str] | None] = {}
    lines = []
    for stage in decision.stages:
        told = StageAccount(per_batch=True)
        for batch in sorted(planned.get(job_of(stage), ())):
            if _is_due(stage, batch, decision):
                _add(told, stage, batch, decision, found, concerned)
        if told.jobs:
            lines.append(told.sentence(stage, len(found.sizes)))
    for rule in planned:
        if rule not in decision.stages:
            causes = tables.get(rule) or ["asked for"]
            lines.append(f"  {rule:14} {', '.join(causes)}")
    title = "What would run, on how many scans at most, and why:"
    if at_work:
        lines.append(f"{at_work} is at it already: what it has not finished yet is counted here.")
    end = "This was a dry run: nothing was written. Every single job: add --verbose."
    return "\n".join([scans_in_words(found), title, *lines, end])


def _is_due(stage: str, batch: str, decision: Decision) -> bool:
    """Whether a stage has something to do in its job, which may be there for another stage alone."""
    others = (name for name in stages_of_job(stage) if name != stage)
    return decision.runs(stage, batch) or not any(decision.runs(name, batch) for name in others)


def _add(told, stage, batch, decision, found, concerned) -> None:
    """Count the job of a stage on a batch; `concerned` has the scans of the previous stage, by batch."""
    change = found.changes.get(batch, ListChange())
    own = decision.causes.get((stage, batch), ())
    if len(change.new) == found.sizes.get(batch, -1):
        own = ()  # a new batch: its scans being new says it all
    elif change != ListChange() and stage == decision.stages[0]:
        own = [c for c in own if c.scans is None or not c.scans <= change.new | change.changed]
    own = [cause for cause in own if len(own) == 1 or cause.text != LATER]
    scans = _union([*(cause.scans for cause in own), change.new, change.changed])
    if batch in concerned:
        before = concerned[batch]
        if change == ListChange() or before is None or before - change.new - change.changed:
            place = decision.stages.index(stage)
            own = [c for c in own if c.text not in (NEVER, INPUTS)]
            own.append(Cause(f"follows {decision.stages[place - 1]}", before))
            scans = _union([scans, before])
    concerned[batch] = scans
    told.add(found.sizes.get(batch, 0) if scans is None else len(scans), change, own)


def _union(groups: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """Return all scans of the groups; None (all of the batch) absorbs the others."""
    known: set[frozenset[str]] = set()
    for group in groups:
        if group is None:
            return None
        known.add(group)
    # Thousands of jobs concern the same scans as the previous stage's; they share one set.
    largest: frozenset[str] = max(known, key=lambda group: len(group), default=frozenset())
    return largest if all(group <= largest for group in known) else largest.union(*known)


def scans_in_words(found: BatchPlan) -> str:
    """Return how many scans there are and what has changed among them."""
    changes = found.changes.values()
    counts = {kind: sum(len(getattr(change, kind)) for change in changes) for kind in KINDS}
    counts["gone"] -= len(found.left_out)
    told = [f"{count:,} {kind}" for kind, count in counts.items() if count]
    told += [f"{len(found.left_out):,} left out by the settings"] if found.left_out else []
    total = _number(sum(found.sizes.values()), "scan")
    sentence = (
        f"{total} found: {', '.join(told) or 'none new, changed or gone'} since the last run."
    )
    return "\n".join([sentence, *absent_in_words(found)])


def again_in_words(decision: Decision, found: BatchPlan) -> list[str]:
    """Return why, and on how many scans, results are made again that were finished; one sentence per reason."""
    counts: Counter[tuple[int, str]] = Counter()
    for batch, first in decision.first.items():
        for cause in _reasons(decision, batch):
            size = found.sizes.get(batch, 0) if cause.scans is None else len(cause.scans)
            counts[first, cause.text] += size
    return [
        f"Computed again, from {decision.stages[first]} on: {_number(count, 'scan')} at most ({text})."
        for (first, text), count in sorted(counts.items())
        if count
    ]


def _reasons(decision: Decision, batch: str) -> list[Cause]:
    """Return why a batch runs again, scans that are new, changed or gone aside: they are said already."""
    told = {NEVER, INPUTS, LIST, LATER}
    own = (decision.causes.get((stage, batch), ()) for stage in decision.stages)
    return list({c.text: c for causes in own for c in causes if c.text not in told}.values())


def absent_in_words(found: BatchPlan) -> list[str]:
    """Return a sentence about scans whose content is missing, if there are any."""
    if not found.absent:
        return []
    more = ", ..." if len(found.absent) > 3 else ""
    named = f"{', '.join(found.absent[:3])}{more}"
    return [
        f"{_number(len(found.absent), 'scan')} of them without content (content_missing): {named}. What was computed "
        "of them is kept. Mount the disk, or fetch them (`datalad get`, `git annex get`), when they are to be computed."
    ]


def _number(count: int, noun: str) -> str:
    ending = "" if count == 1 else "es" if noun.endswith("ch") else "s"
    return f"{count:,} {noun}{ending}"
