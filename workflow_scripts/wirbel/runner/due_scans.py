"""Decide which scans of a batch must be computed, and record the others."""

from __future__ import annotations

from wirbel.errors import CONTENT_MISSING
from wirbel.manifests.batches import Scan
from wirbel.manifests.records import FAILED, OK, SKIPPED, Record
from wirbel.runner.job import Job
from wirbel.runner.stage import Work
from wirbel.runner.upstream import check_upstream

ALWAYS_AGAIN = ("upstream_changed", CONTENT_MISSING)
"""Reasons that say nothing about the scan's content: such a scan is tried again whenever its batch is."""


def sort_out(job: Job) -> list[Work]:
    """Record the scans that need no computing; return the others."""
    todo = [work for scan in job.scans if (work := _sorted(job, scan)) is not None]
    if job.first:
        job.hashes.save()
    return todo


def _sorted(job: Job, scan: Scan) -> Work | None:
    upstream = job.upstream(scan)
    source = job.source(scan, upstream)
    key = job.keys[scan.scan_id] = job.key(scan, source)
    if upstream is not None and upstream.status != OK:
        job.ledger.put(Record(scan.scan_id, SKIPPED, upstream.reason, upstream.detail, key))
    elif job.first and scan.problem:
        reason, _, detail = scan.problem.partition(": ")
        job.ledger.put(Record(scan.scan_id, FAILED, reason, detail, key))
    elif not is_done(job, scan, key):
        check_upstream(job, scan)
        return Work(scan, key, source)
    else:
        job.done_with(job.ledger.known[scan.scan_id])
    return None


def is_done(job: Job, scan: Scan, key: str) -> bool:
    """Return True if the scan's result, or its failure, is recorded under this key and still valid."""
    record = job.ledger.known.get(scan.scan_id)
    if record is None or record.key != key or record.status == SKIPPED:
        return False
    if scan.scan_id in job.recompute:
        return False
    if record.status == OK:
        return job.stands(record)
    return record.reason not in ALWAYS_AGAIN and not job.wishes.try_again(record.reason)
