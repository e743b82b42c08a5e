"""What a job knows about its batch: the scans, earlier results, and where things are."""

from __future__ import annotations

import argparse
from pathlib import Path

from wirbel.errors import InfrastructureError
from wirbel.io.dataset.presence import absence
from wirbel.manifests.batches import Scan, StageFolders, batch_file, read_scans
from wirbel.manifests.findings import read_reviews, shifts_of, with_shifts
from wirbel.manifests.intermediates import LaterStages, drop
from wirbel.manifests.keys import ContentHashes
from wirbel.manifests.ledger import Ledger
from wirbel.manifests.records import (
    FAILED,
    OK,
    Record,
    RecordBook,
    manifest_file,
    read_records,
    records_file,
)
from wirbel.manifests.seals import Seal, digest_of_list, read_seal, seal_of
from wirbel.plan.plan import INGEST, output_of, read_plan
from wirbel.plan.station_names import session_of
from wirbel.runner.progress import Progress, keep
from wirbel.runner.stage import Stage

INPUTS = "inputs"
"""Stands for a stage in the records: the content of the scans' files."""


class Job:
    """One stage over one batch, by the plan."""

    def __init__(self, stage: Stage, args: argparse.Namespace) -> None:
        self.stage, self.threads, self.batch = stage, args.threads, args.batch
        plan = read_plan(args.plan)
        self.plan, self.wishes = plan.stage(stage.name), plan.wishes
        self.output_dir = output_of(args.plan)
        self.folders = StageFolders(self.output_dir)
        self.list_file = batch_file(self.output_dir, self.batch)
        self.manifest = manifest_file(self.output_dir, stage.name, self.batch)
        self.stage_before = plan.before(stage.name)
        self.first = self.stage_before is None
        self.ingested = "" if self.first else plan.ingested
        self.scans = read_scans(self.output_dir, self.batch, self.ingested)
        self.shifts = self._shifts(last=stage.name == plan.names[-1])
        self.made_from, self._previous = self._before()
        self.lock = self.list_file.with_name(f".{self.batch}.lock")
        self.others = self._others()
        self.ledger = Ledger(self.output_dir, stage.name, self.batch)
        self.hashes = ContentHashes(RecordBook(records_file(self.output_dir, self.batch), INPUTS))
        again = self.wishes.compute_again
        self.recompute = frozenset(s.scan_id for s in self.scans if again(s.scan_id))
        later = plan.after(stage.name)
        self.later = LaterStages(later, self.output_dir, self.batch, self.recompute)
        self.keys: dict[str, str] = {}
        self.title = f"{stage.name} {self.batch}"
        self.progress = Progress(self.title, 0)
        self.heartbeat = lambda text: None

    def tell(self, sentence: str) -> None:
        """Write a sentence that is worth keeping to the batch's log."""
        self.progress.say(sentence)
        keep(self.output_dir, self.batch, f"{self.title}: {sentence}")

    @property
    def reads_scan(self) -> bool:
        """Whether the stage opens the scan's own file, or what was delivered of it."""
        return self.first or (getattr(self.stage, "reads_scan", False) and not self.ingested)

    @property
    def reads(self) -> tuple[str, ...]:
        """Stages before the previous one whose results the stage also opens."""
        converted = self.ingested and getattr(self.stage, "reads_scan", False)
        return (*getattr(self.stage, "reads", ()), *([INGEST] if converted else []))

    def upstream(self, scan: Scan) -> Record | None:
        """Return the scan's record at the previous stage; None at the first stage."""
        if self.first:
            return None
        if scan.scan_id not in self._previous:
            raise InfrastructureError(
                f"the manifest of stage {self.stage_before} of batch {self.batch} does not list "
                f"{scan.scan_id}; run the workflow again"
            )
        return self._previous[scan.scan_id]

    def source(self, scan: Scan, upstream: Record | None) -> str:
        """Return what the scan's result is made from: a key, or the hash of the file's content."""
        if upstream is not None:
            return upstream.key
        afresh = scan.scan_id in self.recompute
        return self.hashes.look(scan.scan_id, scan.path, afresh=afresh)

    def key(self, scan: Scan, source: str) -> str:
        """Return the provenance key of the scan's result: of its source, of how far a reader moved its names, and of
        the other stations of its session, if the stage depends on them.
        """
        told = [self._moved(scan, source)]
        others = self.others.get(scan.scan_id, ())
        told += [f"{o.scan_id}: {self._moved(o, self._previous[o.scan_id].key)}" for o in others]
        return self.plan.key("; ".join(told))

    def _moved(self, scan: Scan, source: str) -> str:
        shift = self.shifts.get(scan.scan_id)
        return f"{source}, names moved by {shift}" if shift else source

    def stands(self, record: Record) -> bool:
        """Return True if a recorded result is there as it was written, or no longer needed."""
        if record.is_complete(self.output_dir):
            return True
        if self.stage.name == INGEST:  # its results are final
            return False
        return self.later.are_done(record.scan_id, record.key)

    def done_with(self, record: Record) -> None:
        """Remove the intermediate results that this one was made from, if the settings say so."""
        if record.status == OK and self.plan.drops:
            drop(record, self.plan.drops, self.output_dir, self.batch)

    def seal(self, rows: list[Record]) -> Seal:
        """Return the seal of a manifest with these rows."""
        failed = {row.scan_id for row in rows if row.status == FAILED and self.reads_scan}
        absent = [s.scan_id for s in self.scans if s.scan_id in failed and absence(s.path)]
        return seal_of(self.plan, self.made_from, rows, absent)

    def _before(self) -> tuple[str, dict[str, Record]]:
        """Return a digest of what this batch is made from, and the records of the previous stage."""
        if self.stage_before is None:
            return digest_of_list(self.scans), {}
        path = manifest_file(self.output_dir, self.stage_before, self.batch)
        seal = read_seal(path)
        made_from = "" if seal is None else with_shifts(seal.holds, self.shifts)
        return made_from, _manifest_before(path)

    def _others(self) -> dict[str, tuple[Scan, ...]]:
        """Return scan -> the other stations of its session that have results so far, for a stage that asks."""
        if not (hasattr(self.stage, "others") and self.plan.settings.get("apart")):
            return {}
        sessions: dict[str, list[Scan]] = {}
        for scan in self.scans:
            record = self._previous.get(scan.scan_id)
            if record is not None and record.status == OK:
                sessions.setdefault(session_of(scan.scan_id), []).append(scan)
        return {
            one.scan_id: tuple(o for o in some if o != one)
            for some in sessions.values()
            for one in some
        }

    def _shifts(self, *, last: bool) -> dict[str, int]:
        """Return by how many levels a reader moved the names of some scans: the last stage measures them so."""
        if not last:
            return {}
        names = sorted(scan.scan_id for scan in self.scans)
        return shifts_of(read_reviews(self.output_dir), names)


def _manifest_before(path: Path) -> dict[str, Record]:
    if not path.exists():
        raise InfrastructureError(
            f"{path} is missing: the stage before has to run again; run the same command again"
        )
    return read_records(path)
