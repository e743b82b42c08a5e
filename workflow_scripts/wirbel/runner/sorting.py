"""Which scans of a batch have to be computed, and what becomes of the others."""

from __future__ import annotations

from wirbel.errors import InfrastructureError
from wirbel.runner.batches import Scan
from wirbel.runner.job import Job
from wirbel.runner.records import FAILED, OK, SKIPPED, Record
from wirbel.runner.stage import Work


def sort_out(job: Job) -> list[Work]:
    """Record the scans that need no computing; return the others."""
    todo = []
    for scan in job.scans:
        upstream = job.upstream(scan)
        key = job.key(scan, upstream)
        if upstream is not None and upstream.status != OK:
            job.ledger.put(Record(scan.scan_id, SKIPPED, upstream.reason, upstream.detail, key))
        elif job.first and scan.problem:
            reason, _, detail = scan.problem.partition(": ")
            job.ledger.put(Record(scan.scan_id, FAILED, reason, detail, key))
        elif not is_done(job, scan, key):
            _check_upstream_files(job, upstream)
            todo.append(Work(scan, key))
    if job.first:
        job.hashes.save()
    return todo


def is_done(job: Job, scan: Scan, key: str) -> bool:
    """Whether the scan's result, or its failure, is on record under this key and still stands."""
    record = job.ledger.before.get(scan.scan_id)
    if record is None or record.key != key or record.status == SKIPPED:
        return False
    if record.status == OK:
        return record.is_complete(job.folders.output_dir)
    wanted = job.args.retry_failed.partition("@")[0].lower()
    return not (wanted == "true" or record.reason in (*wanted.split(","), "upstream_changed"))


def _check_upstream_files(job: Job, upstream: Record | None) -> None:
    if upstream is not None and not upstream.is_complete(job.folders.output_dir):
        raise InfrastructureError(
            f"results of an earlier stage are missing or cut short for {upstream.scan_id} "
            f"({', '.join(upstream.outputs)}); run `snakemake verify` and then the workflow again"
        )
