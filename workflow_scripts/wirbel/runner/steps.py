"""The steps of one scan: load, compute, save, record. A scan's fault stays with the scan."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wirbel.errors import CONTENT_MISSING, InfrastructureError, ScanError
from wirbel.io.atomic import sweep_temporaries
from wirbel.io.dataset.presence import absence
from wirbel.manifests.batches import Scan
from wirbel.manifests.records import FAILED, OK, Record, sum_of
from wirbel.plan.plan import INGEST
from wirbel.runner.failures import Alarm, machine_fault, scan_fault
from wirbel.runner.job import Job
from wirbel.runner.progress import keep
from wirbel.runner.stage import Stage, Work
from wirbel.runner.upstream import check_contents, check_still_theirs

NOT_DELIVERED = (
    "what was delivered of this scan is not there: mount its disk, or copy it, and run again"
)


class Steps:
    """The steps of the pipeline, in the order in which a scan goes through them."""

    def __init__(self, job: Job, alarm: Alarm) -> None:
        self._job, self._alarm = job, alarm
        self._stage, self._folders = job.stage, job.folders

    def load(self, work: Work) -> None:
        """Read a scan's inputs; runs in the loading thread."""
        self._look_elsewhere(work)
        if work.elsewhere is not None:
            return
        sweep_temporaries(self._folders.anat(work.scan))
        check_contents(self._job, work.scan)
        with _timed(work):
            self._check_unchanged(work.scan)
            work.content = self._stage.load(work.scan, self._folders)
            self._check_unchanged(work.scan)
            check_still_theirs(self._job, work.scan)
        if work.error is not None:
            self._look_elsewhere(work)
            if work.elsewhere is None:
                check_contents(self._job, work.scan)

    def compute(self, work: Work) -> None:
        """Compute a scan's result; runs in the main thread."""
        if work.error is None and work.elsewhere is None:
            inputs, work.content = work.content, None
            with _timed(work):
                work.content = self._stage.compute(inputs)

    def save(self, work: Work) -> None:
        """Write a scan's results and its record; runs in the saving thread, one scan at a time."""
        if work.error is not None:
            self._look_elsewhere(work)
        if work.elsewhere is not None:
            self._job.ledger.known[work.scan.scan_id] = work.elsewhere
            self._job.progress.finished(work.elsewhere)
            return
        record = self._failure(work) if work.error is not None else self._write(work)
        work.content = None
        self._job.ledger.put(record)
        self._job.done_with(record)
        self._job.progress.finished(record)
        self._job.heartbeat(f"{self._job.title}, {record.scan_id} done")
        if record.status == FAILED:
            self._keep_failure(record, work.error)
            self._raise_alarm(record)

    def _write(self, work: Work) -> Record:
        """Write the results and return the record that is due."""
        paths: list[Path] = []
        with _timed(work, writing=True):
            self._job.ledger.before_writing(work.scan.scan_id, work.key)
            paths = self._stage.save(work.scan, work.content, self._folders)
        return self._failure(work) if work.error is not None else self._success(work, paths)

    def _success(self, work: Work, paths: list[Path]) -> Record:
        paths = [Path(path).absolute() for path in paths]
        found = [path.stat() for path in paths]
        return Record(
            work.scan.scan_id,
            OK,
            key=work.key,
            seconds=work.seconds,
            outputs=tuple(str(path.relative_to(self._folders.output_dir)) for path in paths),
            sizes=tuple(status.st_size for status in found),
            source=work.source,
            device=_device(self._stage),
            sums=tuple(map(sum_of, paths)),
            stamps=tuple(status.st_mtime_ns for status in found),
        )

    def _failure(self, work: Work) -> Record:
        hide = (str(self._folders.output_dir), str(work.scan.path.parent))
        assert work.error is not None  # the caller has seen it
        reason, detail = scan_fault(work.error, hide)
        return Record(
            work.scan.scan_id, FAILED, reason, detail, work.key, work.seconds, source=work.source
        )

    def _look_elsewhere(self, work: Work) -> None:
        """Notice that another writer of this batch (an orphan, its successor) was faster."""
        if work.scan.scan_id in self._job.recompute:
            return
        record = self._job.ledger.finished_elsewhere(work.scan.scan_id, work.key)
        if record is not None and self._job.stands(record):
            work.elsewhere = record

    def _raise_alarm(self, record: Record) -> None:
        """Raise InfrastructureError if most scans fail as nobody foresaw; then those are tried again."""
        try:
            self._alarm.raise_if_too_many(record, self._job.progress.done)
        except InfrastructureError:
            self._job.ledger.forget(self._alarm.unforeseen)
            raise

    def _keep_failure(self, record: Record, error: Exception | None) -> None:
        """Write a failure to the batch's log, in full if nobody foresaw it."""
        text = f"{self._job.title}: {record.scan_id} failed ({record.reason}): {record.detail}"
        if record.reason == "unexpected" and error is not None:
            lines = "".join(traceback.format_exception(error))
            print(f"{record.scan_id}: unexpected error\n{lines}", file=sys.stderr, flush=True)
            text += f"\n{lines}"
        keep(self._job.output_dir, self._job.batch, text)

    def _check_unchanged(self, scan: Scan) -> None:
        """Refuse a scan whose file is missing or no longer has the content that its provenance key was
        made from.
        """
        if not self._job.reads_scan:
            return
        delivered = self._stage.name == INGEST  # whose names tell too much
        if sentence := absence(scan.path):
            raise ScanError(CONTENT_MISSING, NOT_DELIVERED if delivered else sentence)
        if not self._job.hashes.unchanged(scan.scan_id, scan.path):
            name = "what was delivered of this scan" if delivered else scan.path.name
            raise ScanError(
                "upstream_changed",
                f"{name} was replaced while the workflow was running; run it again",
            )


def _device(stage: Stage) -> str:
    """Return the device this process computes on, and what computes a network on a processor.

    Torch is asked only if the stage has loaded it.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "cuda"
    return f"cpu {getattr(stage, 'engine', '')}".strip()


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
