"""One start of the main process: what there is, what must run, and how that is carried out.

`look` only reads, so that a dry run and a real one say the same. `Run.carry_out` writes: lists and plan first,
then it removes the manifests with which batches begin. Killed at any moment, the next start decides the same again.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from wirbel.io.dataset.scan_names import FoundScan
from wirbel.manifests.batches import batch_file
from wirbel.manifests.intermediates import remove_outputs
from wirbel.manifests.receipts import PICTURES, pictures_receipt, receipt_file
from wirbel.manifests.records import manifest_file, records_by_stage
from wirbel.models.modality import contrast_remark
from wirbel.plan.chain import INTERMEDIATE, stages_of_job
from wirbel.plan.plan import Plan, Wishes, write_plan
from wirbel.study.decision.batches import Decision, decide
from wirbel.study.decision.results import unread_in_words
from wirbel.study.decision.tables import AFTER, decide_pictures, decide_tables
from wirbel.study.listing.dataset import DataSet, look_up
from wirbel.study.listing.discovery import BatchPlan, plan_batches
from wirbel.study.listing.links import check_links
from wirbel.study.settings.planning import Planner
from wirbel.study.settings.run_settings import Settings
from wirbel.study.withdrawing.who import is_of
from wirbel.study.withdrawing.withdrawal import begin_withdrawal, withdraw
from wirbel.words import counted

FAR_AHEAD = 130 * 365 * 24 * 3600
"""A time stamp at the end of the year 2099, in seconds."""


@dataclass(frozen=True)
class Run:
    """`tables` holds the causes of what is made once from all scans, by stage; those that run have some."""

    output: str
    plan: Plan
    data: DataSet
    found: BatchPlan
    decision: Decision
    tables: dict[str, list[str]]
    pictures: dict[str, list[str]] = field(default_factory=dict)
    """Batch -> why its pictures are drawn anew, where they are."""
    contrast: str = ""
    """What to say where the scans' ending names another contrast than that of the network."""

    @property
    def gathered_causes(self) -> dict[str, list[str]]:
        """Why what no scan can fail at runs: tables, pages, and the pictures of some batches."""
        told = sorted({cause for causes in self.pictures.values() for cause in causes})
        number = (
            f"{len(self.pictures):,} of {counted(len(self.found.batches), 'batch', 'batches')}: "
        )
        return {**self.tables, PICTURES: [number + ", ".join(told)]}

    @property
    def remarks(self) -> list[str]:
        """What people should know before the first job."""
        told = [*self.data.remarks, *unread_in_words(self.decision.unread)]
        return [*([self.contrast] if self.contrast else []), *told]

    def carry_out(self) -> None:
        """Write lists and plan, and remove what is out of date, so that Snakemake runs what has to run."""
        folder = Path(self.output)
        if self.data.withdrawn:
            begin_withdrawal(folder, self.data.withdrawn)
        self._forget_images_of_gone_scans()
        self.found.write()
        self.data.write(folder)
        write_plan(folder, self.plan)
        for records in self.decision.damaged.values():
            for record in records.values():
                for name in record.damaged(folder, trust_stamps=False):
                    (folder / name).unlink(missing_ok=True)
        for manifest in self.decision.spoiled:
            manifest.unlink(missing_ok=True)
        for batch, place in self.decision.first.items():  # later stages follow it
            manifest_file(folder, self.plan.names[place], batch).unlink(missing_ok=True)
        for stage, causes in self.tables.items():
            if causes:
                receipt_file(folder, stage).unlink(missing_ok=True)
        for batch in self.pictures:
            receipt_file(folder, pictures_receipt(batch)).unlink(missing_ok=True)
        withdraw(folder, self.data.withdrawn, self.data.known, self._batches_of_withdrawn())

    def _batches_of_withdrawn(self) -> list[str]:
        """Return the batches that lose scans of withdrawn participants, and so run again."""
        people = self.data.withdrawn
        changes = self.found.changes.items() if people else ()
        return [b for b, change in changes if any(is_of(people, scan) for scan in change.gone)]

    def new_scans(self) -> list[FoundScan]:
        """Return the scans that are new or changed since the last run."""
        changes = self.found.changes.values()
        names = frozenset().union(*(change.new | change.changed for change in changes))
        return [scan for scan in self.data.scans if scan.scan_id in names]

    def beginnings(self) -> list[str]:
        """Return the manifest with which each batch begins.

        `carry_out` removes them, so that Snakemake, asked for one, runs its job; all later stages follow, because each
        has the manifest before as its input.
        """
        first = self.decision.first.items()
        return [self._manifest(self.plan.names[place], batch) for batch, place in first]

    def manifests(self, stage: str) -> list[str]:
        """Return what to ask for so that a stage runs on every batch that it must run on."""
        asked = [
            self._manifest(name, batch)
            for _, batch in self.decision.running(stage)
            for name in (self.plan.names[self.decision.first[batch]], stage)
        ]
        return list(dict.fromkeys(asked))

    def inputs(self, stage: str, batch: str, *, shown: bool) -> list[str]:
        """Return what Snakemake takes for a job's input: the manifest before, where that is about to be made.

        Nothing can be removed for a dry run: there a stand-in, newer than any manifest, says that a job begins.
        """
        if stage == PICTURES:
            return self._inputs_of_pictures(batch, shown)
        before = self.plan.before(stage)
        if before and self.decision.runs(before, batch):
            return [self._manifest(before, batch)]
        begins = any(self.decision.begins(name, batch) for name in stages_of_job(stage))
        return [stand_in().name] if begins and shown else []

    def gathered(self, stage: str, after: str | None, *, shown: bool) -> list[str]:
        """Return the same for what is made once from all batches, when the stage `after` has run on them."""
        begins = bool(self.tables[stage]) and shown
        before = [self._receipt(table) for table in AFTER.get(stage, ()) if self.tables.get(table)]
        if PICTURES in AFTER.get(stage, ()):
            before += [self._receipt(pictures_receipt(batch)) for batch in self.pictures]
        manifests = self.manifests(after) if after else []
        return manifests + before + ([stand_in().name] if begins else [])

    def _inputs_of_pictures(self, batch: str, shown: bool) -> list[str]:
        last = self.plan.names[-1]
        if self.decision.runs(last, batch):
            return [self._manifest(last, batch)]
        return [stand_in().name] if batch in self.pictures and shown else []

    def _receipt(self, table: str) -> str:
        return f"{self.output}/work/receipts/{table}.json"

    def _manifest(self, stage: str, batch: str) -> str:
        return f"{self.output}/work/{stage}/{batch}.tsv"

    def _forget_images_of_gone_scans(self) -> None:
        """Remove the intermediate results of scans that left the data set; what is final stays."""
        folder = Path(self.output)
        for batch, change in self.found.changes.items():
            gone = change.gone - self.found.left_out
            tables = records_by_stage(folder, batch) if gone else {}
            for stage in INTERMEDIATE:
                for scan_id in gone & tables.get(stage, {}).keys():
                    remove_outputs(tables[stage][scan_id], folder)


def look(settings: Settings, wishes: Wishes, *, on_cluster: bool = False) -> Run:
    """Return what a run, on this machine or a cluster, would have to do; writes nothing.

    Raises OSError where the data set or the output folder cannot be read, ModelError where a network cannot be had,
    Refused where the files about people cannot be joined, or results would be written among the raw data.
    """
    folder = Path(settings.output_dir)
    planner = Planner(settings, on_cluster=on_cluster)
    plan = planner.plan(wishes)
    asked = settings.participants, settings.reviews, settings.source, settings.withdrawn
    data = look_up(settings.bids_dir, folder, *asked, settings.levels)
    check_links(folder, Path(settings.bids_dir), data.scans)
    scope = settings.batch_size, settings.participants
    found = plan_batches(
        settings.bids_dir,
        folder,
        *scope,
        data.scans,
        data.excluded,
        data.withdrawn,
        data.doubts.problems,
    )
    decision = decide(folder, plan, found, data.reviews.shifts)
    pictures = decide_pictures(folder, plan, found, decision)
    tables = decide_tables(folder, plan, found, decision, data.mark, pictures)
    seen = planner.models["semantic"]
    contrast = contrast_remark(seen.folder, seen.config, settings.checked["suffix"])
    return Run(settings.output_dir, plan, data, found, decision, tables, pictures, contrast)


def usual_inputs(output: str, before: str | None, batch: str) -> list[str]:
    """Return a job's input as a job itself sees it: the manifest before, or the batch's list."""
    if before is None:
        return [str(batch_file(output, batch))]
    return [f"{output}/work/{before}/{batch}.tsv"]


@cache
def stand_in():
    """Return a temporary file that is newer than any manifest, also than those of a clock that ran ahead."""
    file = NamedTemporaryFile(prefix="wirbel-dry-run-", suffix=".tsv")  # noqa: SIM115 (lives as long as the start)
    atexit.register(file.close)  # removes it; at the end of the interpreter nobody else does
    os.utime(file.name, (FAR_AHEAD, FAR_AHEAD))
    return file
