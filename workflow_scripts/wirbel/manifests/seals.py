"""The first line of a manifest: under which plan, and from what, its rows were made.

Whether a manifest is up to date follows from its seal, the present plan and the seal of the manifest before. File
times, the folder a command is started in and Snakemake's own records play no part, so the answer is the same
from every clone of the software and wherever the output folder was moved to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from wirbel.manifests.batches import Scan
from wirbel.manifests.records import FAILED, OK, SEAL_MARK, DamagedManifest, Record, read_records
from wirbel.plan.stage_plan import KEY_DIGITS, StagePlan, digest_of

LISTS = ("failed", "absent", "drops")
FIRST_BYTES = 4096
DECODE = json.JSONDecoder().raw_decode


class Seal(NamedTuple):
    """`made_by`: the stage plan's fingerprint; `made_from`: what the manifest before holds, or the batch's list.

    `holds` is a digest of the rows. `failed` are the reasons among them, `absent` the scans whose file could not be
    opened, `drops` the stages whose results were removed. `measured` and `failed_scans` count rows with and without
    a result.
    """

    made_by: str
    made_from: str
    holds: str
    failed: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    measured: int = 0
    failed_scans: int = 0


def seal_of(
    plan: StagePlan, made_from: str, records: Iterable[Record], absent: Iterable[str] = ()
) -> Seal:
    """Return the seal of a manifest with these rows."""
    rows = list(records)
    return Seal(
        plan.fingerprint,
        made_from,
        digest_of_records(rows),
        tuple(sorted({r.reason for r in rows if r.status == FAILED})),
        tuple(sorted(absent)),
        plan.drops,
        sum(r.status == OK for r in rows),
        sum(r.status != OK for r in rows),
    )


def digest_of_records(records: Iterable[Record]) -> str:
    """Return what a seal holds of a manifest's rows."""
    rows = [[r.scan_id, r.status, r.reason, r.detail, r.key] for r in records]
    return digest_of(rows)[:KEY_DIGITS]


def digest_of_list(scans: Iterable[Scan]) -> str:
    """Return a digest of a batch's list; the folder that the data set lies in is no part of it."""
    return digest_of_rows((s.scan_id, s.path.name, s.size, s.mtime_ns, s.problem) for s in scans)


def digest_of_rows(rows: Iterable[tuple[str, str, int, int, str]]) -> str:
    """Return the same for rows of (scan, file name, size, time stamp, problem)."""
    return digest_of([list(row) for row in rows])[:KEY_DIGITS]


def read_sealed(path: str | Path) -> dict[str, Record]:
    """Read a manifest as scan_id -> Record; raise DamagedManifest if its rows are not those that it was sealed with.

    Raises OSError if it cannot be read.
    """
    records, seal = read_records(path), read_seal(path)
    if seal is None or digest_of_records(records.values()) != seal.holds:
        raise DamagedManifest(path)
    return records


def _first_line(path: str | Path) -> str:
    """Return a file's first line. There may be 200,000 of these files: no Path, no buffer, no more than is needed."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = os.read(file, FIRST_BYTES)
        while b"\n" not in found and (more := os.read(file, FIRST_BYTES)):
            found += more
    finally:
        os.close(file)
    return found.partition(b"\n")[0].decode()


def seal_line(seal: Seal) -> str:
    """Return a manifest's first line."""
    return f"{SEAL_MARK}{json.dumps(seal._asdict())}\n"


def read_seal(path: str | Path) -> Seal | None:
    """Return a manifest's seal; None when there is no manifest, one without a seal, or one that is no text."""
    try:
        line = _first_line(path)
        if not line.startswith(SEAL_MARK):
            return None
        content: dict[str, Any] = DECODE(line, len(SEAL_MARK))[0]
        for name in LISTS:
            if name in content:
                content[name] = tuple(content[name])
        return Seal(**content)
    except (OSError, ValueError, TypeError, AttributeError):
        return None
