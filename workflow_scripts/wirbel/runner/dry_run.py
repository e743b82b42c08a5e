"""What a dry run says: which rules would run on how many scans, and why, in one line per rule.

Snakemake's own account has a dozen lines per job, which nobody reads for thousands of jobs.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wirbel.runner.causes import LATER, Cause, batch_of, causes_of, list_change
from wirbel.runner.discovery import BatchPlan, ListChange

KINDS = ("new", "changed", "gone")


class BeforeJobTable(logging.Filter):
    """On Snakemake's logger: calls `tell` once, before the first table of jobs is printed."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self._tell = tell
        self._told = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        if getattr(record, "event", "") == "run_info" and not self._told:
            self._told = True
            self._tell()
        return True


@dataclass
class RuleAccount:
    """What the planned jobs of one rule have in common."""

    per_batch: bool
    jobs: int = 0
    scans: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    """Number of scans by what became of them: new, changed, gone."""
    causes: Counter[str] = field(default_factory=Counter)
    """Number of jobs by cause."""

    def add(self, size: int, change: ListChange, causes: Iterable[Cause]) -> None:
        """Count one job, which would compute `size` scans."""
        self.jobs += 1
        self.scans += size
        self.changes.update({kind: len(getattr(change, kind)) for kind in KINDS})
        self.causes.update(cause.text for cause in causes)

    def sentence(self, name: str, batches: int) -> str:
        """Return the rule's line; `batches` is how many there are."""
        parts = [
            _number(self.changes[kind], f"{kind} scan") for kind in KINDS if self.changes[kind]
        ]
        for cause, count in self.causes.items():
            parts.append(cause + (f" (in {_number(count, 'batch')})" if count < self.jobs else ""))
        extent = ""
        if self.per_batch:
            extent = (
                f"{_number(self.scans, 'scan')} in {self.jobs:,} of {_number(batches, 'batch')}: "
            )
        return f"  {name:14} {extent}{', '.join(parts)}"


def account(dag: Any, plan: BatchPlan, at_work: str = "") -> str:
    """Return what a run would do and why; `dag` is Snakemake's graph once it decided what to run.

    `at_work` names a process that is running the workflow on the same folder at this moment.
    The number of scans is the most that could be computed: a scan whose result is still valid is kept.
    """
    rules: dict[str, RuleAccount] = {}
    concerned: dict[Any, frozenset[str] | None] = {}
    for level in dag.toposorted():
        for job in sorted(filter(dag.needrun, level), key=str):
            causes = [*causes_of(job, dag, plan), *_earlier_stages(job, dag, plan, concerned)]
            if len(causes) > 1:
                causes = [cause for cause in causes if cause.text != LATER]
            change = list_change(job, plan)
            concerned[job] = _union(
                [*(cause.scans for cause in causes), change.new, change.changed]
            )
            if not job.rule.norun:
                rule = rules.setdefault(job.rule.name, RuleAccount(bool(batch_of(job))))
                rule.add(_size(job, plan, concerned[job]), change, causes)
    lines = [rule.sentence(name, len(plan.sizes)) for name, rule in rules.items()]
    title = "What would run, on how many scans at most, and why:"
    if at_work:
        lines.append(f"{at_work} is at it already: what it has not finished yet is counted here.")
    end = "This was a dry run: nothing was written. Every single job: add --verbose."
    return "\n".join([_scans_in_words(plan), title, *lines, end])


def _earlier_stages(job: Any, dag: Any, plan: BatchPlan, concerned: dict) -> Iterator[Cause]:
    """Yield that the job follows others, unless the changes in its own list say all that these say."""
    change = list_change(job, plan)
    before = {other for other in dag.dependencies[job] if other in concerned}
    # The tables take the manifests of all stages: only the stages that no other of these follows are told.
    before -= {earlier for other in before for earlier in dag.dependencies[other]}
    scans = _union(concerned[other] for other in before)
    if before and (change == ListChange() or scans is None or scans - change.new - change.changed):
        names = sorted({other.rule.name for other in before})
        yield Cause(f"follows {' and '.join(names)}", scans)


def _union(groups: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """Return all scans of the groups; None, all of the batch, swallows the others."""
    groups = set(groups)
    if None in groups:
        return None
    # Thousands of jobs concern the same scans as the one before: the same set serves them all.
    largest = max(groups, key=len, default=frozenset())
    return largest if all(group <= largest for group in groups) else largest.union(*groups)


def _size(job: Any, plan: BatchPlan, scans: frozenset[str] | None) -> int:
    return plan.sizes.get(batch_of(job), 0) if scans is None else len(scans)


def _number(count: int, noun: str) -> str:
    ending = "" if count == 1 else "es" if noun.endswith("ch") else "s"
    return f"{count:,} {noun}{ending}"


def _scans_in_words(plan: BatchPlan) -> str:
    """Return how many scans there are and what is different among them."""
    changes = plan.changes.values()
    counts = {kind: sum(len(getattr(change, kind)) for change in changes) for kind in KINDS}
    told = ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
    total = _number(sum(plan.sizes.values()), "scan")
    return f"{total} found: {told or 'none new, changed or gone'} since the last run."
