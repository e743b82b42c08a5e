"""The loop that every per-scan stage runs in.

A stage's command line is::

    def main(argv: list[str] | None = None) -> int:
        parser = argparse.ArgumentParser(description=__doc__)
        add_runner_arguments(parser)
        parser.add_argument("--model", ...)             # the stage's own
        args = parser.parse_args(argv)
        return run_stage(MyStage(args.model), args, parameters={"n4": args.n4}, model_sha256=...)

`run_stage` reads the batch list, passes on scans that failed earlier, skips those whose record has the same
provenance key and whose outputs exist, and for the others overlaps loading (a thread, one scan ahead),
computing (the main thread) and saving (a thread). After each scan the records are on disk; at the end the
manifest is written.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.atomic import sweep_temporaries
from wirbel.runner.batches import Scan, StageFolders, read_batch
from wirbel.runner.codehash import stage_code_hash
from wirbel.runner.failures import log_traceback, machine_fault, scan_fault
from wirbel.runner.keys import ContentHashes, provenance_key
from wirbel.runner.locks import sole_writer
from wirbel.runner.progress import Progress
from wirbel.runner.records import (
    FAILED,
    OK,
    SKIPPED,
    Record,
    RecordBook,
    read_records,
    write_records,
)

__all__ = ["Record", "Scan", "Stage", "StageFolders", "add_runner_arguments", "run_stage"]

FEWEST_FOR_ALARM = 4
"""Fewer unforeseen errors than this in a batch never count as the software's general failure."""
TERMINATED = 143
"""Exit code after SIGTERM: 128 + 15, as shells report it."""


class Stage(Protocol):
    """What a stage provides. `load` and `save` run in threads of their own, one scan at a time each.

    A stage that opens the scan's own file (`scan.path`) sets `reads_scan = True`; the runner then refuses a
    file that was replaced while the workflow was running. First stages are treated so in any case.
    """

    name: str
    """The stage's module, `wirbel.stages.<name>`, and its folder, `work/<name>`."""

    def prepare(self) -> None:
        """Load the model and the like; called once, only when at least one scan has work left."""

    def load(self, scan: Scan, folders: StageFolders) -> Any:
        """Read what `compute` needs; may raise ScanError."""

    def compute(self, inputs: Any) -> Any:
        """Return the result; may raise ScanError."""

    def save(self, scan: Scan, result: Any, folders: StageFolders) -> list[Path]:
        """Write the result atomically (wirbel.io) and return the files written."""


@dataclass
class _Work:
    """A scan on its way through the loop."""

    scan: Scan
    key: str
    seconds: float = 0.0
    content: Any = None
    error: Exception | None = None


class Terminated(BaseException):
    """SIGTERM arrived."""


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that all per-scan stages share."""
    group = parser.add_argument_group("batch")
    group.add_argument("--batch", type=Path, required=True, help="list of scans (TSV)")
    group.add_argument("--previous", type=Path, help="manifest of the stage before")
    group.add_argument("--manifest", type=Path, required=True, help="manifest to write (TSV)")
    group.add_argument("--output-dir", type=Path, required=True, help="the output folder")
    group.add_argument("--threads", type=int, default=1, help="CPU threads to use")
    group.add_argument(
        "--retry-failed",
        default="false",
        help="try failed scans again: false, true, or reason codes separated by commas; "
        "anything after an @ is ignored",
    )
    group.add_argument(
        "--max-failed-fraction",
        type=float,
        default=0.5,
        help="stop when more than this fraction of the scans meets unforeseen errors",
    )
    group.add_argument("--code-hash", help="hash of the stage's code (default: computed)")


def run_stage(
    stage: Stage,
    args: argparse.Namespace,
    parameters: dict[str, Any],
    model_sha256: str | None = None,
) -> int:
    """Run `stage` over the batch in `args`; return the process's exit code.

    `parameters` is everything besides code, model and input that decides the result (JSON types).
    0: the manifest is written, failed scans among its rows. 1: the machine or the set-up is at fault, one
    sentence on stderr, no manifest. 143: terminated. Finished scans stay recorded in every case.
    """
    try:
        with _sigterm_raises():
            _BatchRun(stage, args, parameters, model_sha256).run()
        return 0
    except Terminated:
        print(f"{stage.name}: terminated; finished scans are kept", file=sys.stderr)
        return TERMINATED
    except Exception as error:
        sentence = machine_fault(error, writing=True)
        if sentence is None:
            raise
        print(f"{stage.name}: {sentence}", file=sys.stderr)
        return 1


class _BatchRun:
    """One stage over one batch."""

    def __init__(self, stage, args, parameters, model_sha256) -> None:
        self.stage = stage
        self.args = args
        self.parameters = parameters
        self.model_sha256 = model_sha256
        self.code = args.code_hash or stage_code_hash(stage.name)
        self.folders = StageFolders(args.output_dir.absolute())
        self.scans = read_batch(args.batch)
        self.previous = read_records(args.previous) if args.previous else None
        self.first = args.previous is None
        batch = args.manifest.name.removesuffix(".tsv")
        self.book = RecordBook(args.manifest.with_name(f"{batch}.records.tsv"))
        self.lock = args.manifest.with_name(f".{batch}.lock")
        self.hashes = ContentHashes(args.batch.with_name(f"{batch}.inputs.tsv"))
        self.title = f"{stage.name} {batch}"
        self.progress = Progress(self.title, 0)
        self.unforeseen: list[str] = []
        self.computed = 0

    def run(self) -> None:
        """Do what is left of the batch and write its manifest."""
        with sole_writer(self.lock, self.args.manifest, self.progress.say):
            sweep_temporaries(self.args.manifest.parent)
            self.before = self.book.all()
            todo = self._sort_out()
            if todo:
                self._prepare()
                self._overlap(todo)
            records = self.book.all()
            rows = [records[scan.scan_id] for scan in self.scans]
            write_records(self.args.manifest, rows)
            self._summarize(rows, len(todo))

    def _sort_out(self) -> list[_Work]:
        """Record the scans that need no computing; return the others."""
        todo = []
        for scan in self.scans:
            upstream = self._upstream(scan)
            key = self._key(scan, upstream)
            if upstream is not None and upstream.status != OK:
                self._put(Record(scan.scan_id, SKIPPED, upstream.reason, upstream.detail, key))
            elif self.first and scan.problem:
                reason, _, detail = scan.problem.partition(": ")
                self._put(Record(scan.scan_id, FAILED, reason, detail, key))
            elif not self._is_done(scan, key):
                self._check_upstream_files(upstream)
                todo.append(_Work(scan, key))
        if self.first:
            self.hashes.save()
        return todo

    def _upstream(self, scan: Scan) -> Record | None:
        if self.previous is None:
            return None
        if scan.scan_id not in self.previous:
            raise InfrastructureError(
                f"{self.args.previous} does not list {scan.scan_id}; run the workflow again"
            )
        return self.previous[scan.scan_id]

    def _key(self, scan: Scan, upstream: Record | None) -> str:
        source = self.hashes.look(scan.scan_id, scan.path) if upstream is None else upstream.key
        return provenance_key(
            self.stage.name, self.code, self.parameters, self.model_sha256, source
        )

    def _is_done(self, scan: Scan, key: str) -> bool:
        record = self.before.get(scan.scan_id)
        if record is None or record.key != key or record.status == SKIPPED:
            return False
        if record.status == OK:
            return record.is_complete(self.folders.output_dir)
        wanted = self.args.retry_failed.partition("@")[0].lower()
        return not (wanted == "true" or record.reason in (*wanted.split(","), "upstream_changed"))

    def _check_upstream_files(self, upstream: Record | None) -> None:
        if upstream is not None and not upstream.is_complete(self.folders.output_dir):
            raise InfrastructureError(
                f"results of an earlier stage are missing or cut short for {upstream.scan_id} "
                f"({', '.join(upstream.outputs)}); run `snakemake verify` and then the workflow again"
            )

    def _prepare(self) -> None:
        try:
            self.stage.prepare()
        except Exception as error:
            sentence = machine_fault(error) or f"{type(error).__name__}: {error}"
            raise InfrastructureError(f"cannot start: {sentence}") from error
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(self.args.threads)

    def _overlap(self, todo: list[_Work]) -> None:
        """Load one scan ahead and save one behind the one that is being computed."""
        self.progress = Progress(self.title, len(todo))
        waiting, loading, saving = iter(todo), deque(), deque()
        loader, saver = ThreadPoolExecutor(1, "load"), ThreadPoolExecutor(1, "save")
        try:
            loading.extend(loader.submit(self._load, work) for work in _take(waiting, 1))
            while loading:
                work = loading.popleft().result()
                loading.extend(loader.submit(self._load, item) for item in _take(waiting, 1))
                self._compute(work)
                saving.append(saver.submit(self._save, work))
                del work
                while len(saving) > 1:
                    saving.popleft().result()
            while saving:
                saving.popleft().result()
        finally:
            loader.shutdown(cancel_futures=True)
            saver.shutdown()
            self.progress.close()

    def _load(self, work: _Work) -> _Work:
        sweep_temporaries(self.folders.anat(work.scan))
        with self._timed(work):
            self._check_unchanged(work.scan)
            work.content = self.stage.load(work.scan, self.folders)
            self._check_unchanged(work.scan)
        return work

    def _compute(self, work: _Work) -> None:
        if work.error is None:
            inputs, work.content = work.content, None
            with self._timed(work):
                work.content = self.stage.compute(inputs)

    def _save(self, work: _Work) -> None:
        """Write a scan's results and its record; runs in the saving thread, one scan at a time."""
        paths: list[Path] = []
        if work.error is None:
            with self._timed(work, writing=True):
                paths = self.stage.save(work.scan, work.content, self.folders)
        work.content = None
        if work.error is None:
            record = self._success(work, paths)
        else:
            hide = (str(self.folders.output_dir), str(work.scan.path.parent))
            reason, detail = scan_fault(work.error, hide)
            record = Record(work.scan.scan_id, FAILED, reason, detail, work.key, work.seconds)
        self._put(record)
        self.progress.finished(record)
        self._count(record, work.error)

    def _success(self, work: _Work, paths: list[Path]) -> Record:
        names = tuple(
            str(Path(path).absolute().relative_to(self.folders.output_dir)) for path in paths
        )
        sizes = tuple(Path(path).stat().st_size for path in paths)
        return Record(work.scan.scan_id, OK, "", "", work.key, work.seconds, names, sizes)

    def _put(self, record: Record) -> None:
        """Remove what an earlier success left for a scan that now has none, then record."""
        if record.status != OK:
            old = self.before.get(record.scan_id)
            for name in old.outputs if old else ():
                (self.folders.output_dir / name).unlink(missing_ok=True)
            if old == record:
                return
        self.book.put(record)

    def _count(self, record: Record, error: Exception | None) -> None:
        """Raise the alarm when most scans meet errors nobody foresaw: then the set-up is broken."""
        self.computed += 1
        if record.reason != "unexpected":
            return
        log_traceback(record.scan_id, error)
        self.unforeseen.append(record.scan_id)
        limit = self.args.max_failed_fraction * self.computed
        if len(self.unforeseen) >= FEWEST_FOR_ALARM and len(self.unforeseen) > limit:
            self.book.drop(self.unforeseen)
            raise InfrastructureError(
                f"{len(self.unforeseen)} of {self.computed} scans met an unforeseen error "
                f"(last: {record.detail}); this looks like a broken set-up, not like bad scans"
            )

    def _check_unchanged(self, scan: Scan) -> None:
        """Refuse a scan whose file no longer holds what its provenance key was made from."""
        if not self.first and not getattr(self.stage, "reads_scan", False):
            return
        if not self.hashes.unchanged(scan.scan_id, scan.path):
            raise ScanError(
                "upstream_changed",
                f"{scan.path.name} was replaced while the workflow was running; run it again",
            )

    @contextmanager
    def _timed(self, work: _Work, *, writing: bool = False) -> Iterator[None]:
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

    def _summarize(self, rows: list[Record], computed: int) -> None:
        counts = {state: sum(r.status == state for r in rows) for state in (OK, FAILED, SKIPPED)}
        told = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
        self.progress.say(f"{told or 'no scans'}; {computed} of {len(rows)} computed now")


def _take(items: Iterator[_Work], number: int) -> list[_Work]:
    return [item for _, item in zip(range(number), items, strict=False)]


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Turn SIGTERM into an exception in the main thread, so that what is being written is finished."""

    def stop(*_: object) -> None:
        raise Terminated

    try:
        old = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread, where no signal can be caught
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, old)
