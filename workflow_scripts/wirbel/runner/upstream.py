"""Check that the results of earlier stages that a stage is about to open are there."""

from __future__ import annotations

import os
import time

from wirbel.errors import InfrastructureError
from wirbel.manifests.batches import Scan
from wirbel.manifests.lineage import forget_incomplete, lineage, read_manifests
from wirbel.manifests.records import Record, records_by_stage
from wirbel.runner.job import Job

LATENCY_SECONDS = 5.0
"""A network file system may take this long to show what another node has written."""
POLL_SECONDS = 0.25


def check_upstream(job: Job, scan: Scan) -> None:
    """Raise InfrastructureError if results that the scan needs are missing.

    The manifests that promise them are removed, so that the same command makes them again.
    """
    upstream = job.upstream(scan)
    if upstream is None:
        return
    deadline = time.monotonic() + LATENCY_SECONDS
    while missing := _missing(job, upstream):
        if time.monotonic() > deadline:
            forget_incomplete(job.output_dir, job.batch, _lineage(job, upstream))
            raise InfrastructureError(
                f"results of an earlier stage are missing or truncated for {scan.scan_id} "
                f"({', '.join(missing)}): run the same command again, which makes them again"
            )
        time.sleep(POLL_SECONDS)
        for name in missing:  # makes a network file system look again
            if (job.output_dir / name).parent.is_dir():
                os.listdir((job.output_dir / name).parent)


def check_contents(job: Job, scan: Scan) -> None:
    """Raise InfrastructureError if results of earlier stages that the stage opens are no longer what
    was written.

    A damaged result is never the scan's fault. It is removed with the manifests that promise it, so
    that the same command makes it again.
    """
    check_upstream(job, scan)
    upstream = job.upstream(scan)
    if upstream is None:
        return
    damaged = {
        stage: list(record.damaged(job.output_dir, trust_stamps=False))
        for stage, record in _read_records(job, upstream).items()
    }
    names = [name for found in damaged.values() for name in found]
    if not names:
        return
    check_still_theirs(job, scan)
    for name in names:
        (job.output_dir / name).unlink(missing_ok=True)
    forget_incomplete(job.output_dir, job.batch, _lineage(job, upstream))
    raise InfrastructureError(
        f"{', '.join(names)} was damaged after it had been written (a failing disk?) and is removed: "
        "run the same command again, which makes it again"
    )


def check_still_theirs(job: Job, scan: Scan) -> None:
    """Raise InfrastructureError if another job has replaced the results that were read by those of
    other settings.

    A stage drops a scan's record before it overwrites files (`Ledger.before_writing`), so a record
    that still exists after reading proves that the files belonged to it.
    """
    upstream = job.upstream(scan)
    if upstream is None:
        return
    stage = job.stage_before
    tables = records_by_stage(job.output_dir, job.batch)
    if stage not in tables:
        return  # it kept no records: somebody wrote the manifest by hand
    record = tables[stage].get(scan.scan_id)
    if record is None or record.key != upstream.key:
        raise InfrastructureError(
            f"another job is replacing what an earlier stage made of {scan.scan_id}: wait until it has ended, "
            "or cancel it, and run the same command again"
        )


def _missing(job: Job, upstream: Record) -> list[str]:
    """Return the files to read that are not on disk as recorded."""
    records = _read_records(job, upstream).values()
    incomplete = [record for record in records if not record.is_complete(job.output_dir)]
    return [name for record in incomplete for name in record.outputs]


def _read_records(job: Job, upstream: Record) -> dict[str, Record]:
    """Return stage -> record of the results that the stage opens."""
    reads = job.reads
    earlier = _lineage(job, upstream) if reads else {}
    before = {} if job.stage_before is None else {job.stage_before: upstream}
    return before | {s: r for s, r in earlier.items() if s in reads}


def _lineage(job: Job, upstream: Record) -> dict[str, Record]:
    tables = read_manifests(job.output_dir, job.batch)
    return lineage(tables, upstream.scan_id, upstream.key)
