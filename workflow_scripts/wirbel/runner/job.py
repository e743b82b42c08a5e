"""What a job knows about its batch: the scans, what was found earlier, and where things are."""

from __future__ import annotations

import argparse
from typing import Any

from wirbel.errors import InfrastructureError
from wirbel.runner.batches import Scan, StageFolders, read_batch
from wirbel.runner.codehash import stage_code_hash
from wirbel.runner.keys import ContentHashes, provenance_key
from wirbel.runner.ledger import Ledger
from wirbel.runner.progress import Progress
from wirbel.runner.records import Record, read_records
from wirbel.runner.stage import Stage


class Job:
    """One stage over one batch."""

    def __init__(
        self,
        stage: Stage,
        args: argparse.Namespace,
        parameters: dict[str, Any],
        model_sha256: str | None,
    ) -> None:
        self.stage = stage
        self.args = args
        self._parameters = parameters
        self._model_sha256 = model_sha256
        self._code = args.code_hash or stage_code_hash(stage.name)
        self.folders = StageFolders(args.output_dir.absolute())
        self.scans = read_batch(args.batch)
        self.first = args.previous is None
        self._previous = {} if self.first else read_records(args.previous)
        batch = args.manifest.name.removesuffix(".tsv")
        self.lock = args.manifest.with_name(f".{batch}.lock")
        self.ledger = Ledger(
            args.manifest.with_name(f"{batch}.records.tsv"), self.folders.output_dir
        )
        self.hashes = ContentHashes(args.batch.with_name(f"{batch}.inputs.tsv"))
        self.title = f"{stage.name} {batch}"
        self.progress = Progress(self.title, 0)

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

    def key(self, scan: Scan, upstream: Record | None) -> str:
        """Return the key of the scan's result at this stage."""
        source = self.hashes.look(scan.scan_id, scan.path) if upstream is None else upstream.key
        return provenance_key(
            self.stage.name, self._code, self._parameters, self._model_sha256, source
        )
