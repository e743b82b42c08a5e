"""What is done to one scan: load, compute, save, record. A scan's fault stays with the scan."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.atomic import sweep_temporaries
from wirbel.runner.alarm import Alarm
from wirbel.runner.batches import Scan
from wirbel.runner.failures import log_traceback, machine_fault, scan_fault
from wirbel.runner.job import Job
from wirbel.runner.records import FAILED, OK, Record
from wirbel.runner.stage import Work


class Steps:
    """The steps of the pipeline, in the order in which a scan goes through them."""

    def __init__(self, job: Job, alarm: Alarm) -> None:
        self._job, self._alarm = job, alarm
        self._stage, self._folders = job.stage, job.folders

    def load(self, work: Work) -> None:
        """Read a scan's inputs; runs in the loading thread."""
        sweep_temporaries(self._folders.anat(work.scan))
        with _timed(work):
            self._check_unchanged(work.scan)
            work.content = self._stage.load(work.scan, self._folders)
            self._check_unchanged(work.scan)

    def compute(self, work: Work) -> None:
        """Compute a scan's result; runs in the main thread."""
        if work.error is None:
            inputs, work.content = work.content, None
            with _timed(work):
                work.content = self._stage.compute(inputs)

    def save(self, work: Work) -> None:
        """Write a scan's results and its record; runs in the saving thread, one scan at a time."""
        paths: list[Path] = []
        if work.error is None:
            with _timed(work, writing=True):
                paths = self._stage.save(work.scan, work.content, self._folders)
        work.content = None
        record = self._success(work, paths) if work.error is None else self._failure(work)
        self._job.ledger.put(record)
        self._job.progress.finished(record)
        self._count(record, work.error)

    def _success(self, work: Work, paths: list[Path]) -> Record:
        names = tuple(
            str(Path(path).absolute().relative_to(self._folders.output_dir)) for path in paths
        )
        sizes = tuple(Path(path).stat().st_size for path in paths)
        return Record(work.scan.scan_id, OK, "", "", work.key, work.seconds, names, sizes)

    def _failure(self, work: Work) -> Record:
        hide = (str(self._folders.output_dir), str(work.scan.path.parent))
        reason, detail = scan_fault(work.error, hide)
        return Record(work.scan.scan_id, FAILED, reason, detail, work.key, work.seconds)

    def _count(self, record: Record, error: Exception | None) -> None:
        if record.reason == "unexpected":
            log_traceback(record.scan_id, error)
        try:
            self._alarm.count(record)
        except InfrastructureError:
            self._job.ledger.forget(self._alarm.unforeseen)
            raise

    def _check_unchanged(self, scan: Scan) -> None:
        """Refuse a scan whose file no longer holds what its provenance key was made from."""
        if self._job.reads_scan and not self._job.hashes.unchanged(scan.scan_id, scan.path):
            raise ScanError(
                "upstream_changed",
                f"{scan.path.name} was replaced while the workflow was running; run it again",
            )


@contextmanager
def _timed(work: Work, *, writing: bool = False) -> Iterator[None]:
    """Add the time spent; keep a scan's fault in `work`, let the machine's faults through."""
    start = time.perf_counter()
    try:
        yield
    except Exception as error:
        sentence = machine_fault(error, writing=writing)
        if sentence is not None:
            raise InfrastructureError(f"{work.scan.scan_id}: {sentence}") from error
        work.error, work.content = error, None
    finally:
        work.seconds += time.perf_counter() - start
