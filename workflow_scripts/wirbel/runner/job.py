"""What a job knows about its batch: the scans, what was found earlier, and where things are."""

from __future__ import annotations

import argparse

from wirbel.errors import InfrastructureError
from wirbel.runner.batches import Scan, StageFolders, read_batch
from wirbel.runner.intermediates import LaterStages, drop
from wirbel.runner.joblogs import keep
from wirbel.runner.keys import ContentHashes
from wirbel.runner.ledger import Ledger
from wirbel.runner.progress import Progress
from wirbel.runner.recipes import Recipe
from wirbel.runner.records import OK, Record, RecordBook, read_records, records_file
from wirbel.runner.stage import Stage

INPUTS = "inputs"
"""Stands for a stage in the records: what the scans' files held."""


class Job:
    """One stage over one batch."""

    def __init__(self, stage: Stage, args: argparse.Namespace, recipe: Recipe) -> None:
        self.stage, self.args, self.recipe = stage, args, recipe
        self.folders = StageFolders(args.output_dir.absolute())
        self.output_dir = self.folders.output_dir
        self.scans = read_batch(args.batch)
        self.first = args.previous is None
        self._previous = {} if self.first else _manifest_before(args.previous)
        self.batch = args.manifest.name.removesuffix(".tsv")
        self.lock = args.batch.with_name(f".{self.batch}.lock")
        self.ledger = Ledger(self.output_dir, stage.name, self.batch)
        self.hashes = ContentHashes(RecordBook(records_file(self.output_dir, self.batch), INPUTS))
        self.later = LaterStages(args)
        self.keys: dict[str, str] = {}
        self.title = f"{stage.name} {self.batch}"
        self.progress = Progress(self.title, 0)
        self.heartbeat = lambda text: None

    def tell(self, sentence: str) -> None:
        """Say something that is worth keeping in the batch's log."""
        self.progress.say(sentence)
        keep(self.output_dir, self.batch, f"{self.title}: {sentence}")

    @property
    def reads_scan(self) -> bool:
        """Whether the stage opens the scan's own file."""
        return self.first or getattr(self.stage, "reads_scan", False)

    def upstream(self, scan: Scan) -> Record | None:
        """Return the scan's record at the stage before; None at the first stage."""
        if self.first:
            return None
        if scan.scan_id not in self._previous:
            raise InfrastructureError(
                f"{self.args.previous} does not list {scan.scan_id}; run the workflow again"
            )
        return self._previous[scan.scan_id]

    def source(self, scan: Scan, upstream: Record | None) -> str:
        """Return what the scan's result is made from: a key, or the hash of the file's content."""
        return self.hashes.look(scan.scan_id, scan.path) if upstream is None else upstream.key

    def stands(self, record: Record) -> bool:
        """Whether a result on record is there as it was written, or is not needed any more."""
        if record.is_complete(self.output_dir):
            return True
        return self.later.are_done(record.scan_id, record.key)

    def done_with(self, record: Record) -> None:
        """Remove the intermediate results that were needed for this one, where that is wished for."""
        if record.status == OK:
            drop(record, self.args.drop, self.output_dir, self.batch)


def _manifest_before(path) -> dict[str, Record]:
    if not path.exists():
        raise InfrastructureError(
            f"{path} is missing: the stage before has to run again; run the same command again"
        )
    return read_records(path)
