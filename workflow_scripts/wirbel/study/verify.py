"""Compare recorded results with the disk, byte by byte: `python -m wirbel.study.verify --output-dir
DIR`.

A result that is missing or no longer what was written is removed, with the manifests of its stage
and the later ones, so that the next run computes it again (and only it). The same holds for tables,
dictionaries and pictures. Intermediate results that nobody needs any more may be missing; if a
final result is gone, those it was made from are needed again.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from wirbel.manifests.batches import list_batches
from wirbel.manifests.lineage import Tables, lineage, read_manifests
from wirbel.manifests.receipts import pictures_receipt, read_receipt, receipt_file
from wirbel.manifests.records import (
    OK,
    DamagedManifest,
    Record,
    manifest_file,
    write_records,
)
from wirbel.manifests.seals import read_seal, read_sealed, seal_line
from wirbel.plan.chain import ALL_STAGES, INTERMEDIATE, LABEL, LAST_READER

GATHERED = ("cohort", "contact_sheet", "report")
THREADS = 8
"""Files read at once: hashing and waiting for the disk both leave the processor to others."""


def mend(output_dir: Path, batch: str) -> int:
    """Report a batch's damaged results, remove them, and forget its manifests from there on; return how many."""
    found = _forget_damaged(output_dir, batch)
    tables = read_manifests(output_dir, batch)
    unneeded = _unneeded(output_dir, tables)
    for stage in (name for name in ALL_STAGES if name in tables):
        records = [
            record
            for record in tables[stage].values()
            if record.status == OK and (stage, record.scan_id) not in unneeded
        ]
        damaged = sorted(r.scan_id for r in records if _is_removed(output_dir, r))
        if damaged:
            print(f"{stage} {batch}: results missing or changed for {', '.join(damaged)}")
        found += len(damaged)
        if found:
            manifest_file(output_dir, stage, batch).unlink(missing_ok=True)
        else:
            _note_stamps(output_dir, stage, batch, tables[stage])
    return found


def _forget_damaged(output_dir: Path, batch: str) -> int:
    """Remove manifests that are not what was written; return how many. The next run makes them from the records."""
    found = 0
    for stage in ALL_STAGES:
        path = manifest_file(output_dir, stage, batch)
        try:
            read_sealed(path)
        except FileNotFoundError:
            continue
        except DamagedManifest:
            print(f"{stage} {batch}: the manifest is damaged")
            path.unlink()
            found += 1
    return found


def mend_gathered(output_dir: Path, stage: str) -> int:
    """Do the same for what was made from all scans; return the number of damaged files."""
    receipt = read_receipt(output_dir, stage)
    damaged = receipt.damaged(output_dir, trust_stamps=False) if receipt else []
    if damaged:
        print(f"{stage}: missing or changed: {', '.join(damaged)}")
        receipt_file(output_dir, stage).unlink(missing_ok=True)
    return len(damaged)


def _is_removed(output_dir: Path, record: Record) -> bool:
    """Remove outputs that are no longer what was written; return True if there were any, or if any is
    missing.
    """
    damaged = list(record.damaged(output_dir, trust_stamps=False))
    for name in damaged:
        (output_dir / name).unlink(missing_ok=True)
    return bool(damaged)


def _note_stamps(output_dir: Path, stage: str, batch: str, records: dict[str, Record]) -> None:
    """Store the current time stamps of results found intact, so that no start reads them again."""
    now = {name: _with_stamps(output_dir, record) for name, record in records.items()}
    path = manifest_file(output_dir, stage, batch)
    seal = read_seal(path)
    if now != records and seal is not None:
        write_records(path, now.values(), seal_line(seal))


def _with_stamps(output_dir: Path, record: Record) -> Record:
    paths = [output_dir / name for name in record.outputs]
    if not record.stamps or not all(path.exists() for path in paths):
        return record
    return replace(record, stamps=tuple(path.stat().st_mtime_ns for path in paths))


def _unneeded(output_dir: Path, tables: Tables) -> set[tuple[str, str]]:
    """Return (stage, scan) of intermediate results whose final result is there."""
    return {
        (stage, record.scan_id)
        for reader in (LAST_READER, LABEL)
        for record in tables.get(reader, {}).values()
        if record.status == OK and record.is_complete(output_dir)
        for stage in lineage(tables, record.scan_id, record.key)
        if stage in INTERMEDIATE or (stage == LAST_READER and reader == LABEL)
    }


def main(argv: list[str] | None = None) -> int:
    """Check all manifests; 0 also when something was found, since the next run will mend it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output-dir", type=Path, required=True)
    output_dir = parser.parse_args(argv).output_dir
    with ThreadPoolExecutor(THREADS) as pool:
        found = sum(pool.map(partial(mend, output_dir), list_batches(output_dir)))
    drawn = map(pictures_receipt, list_batches(output_dir))
    found += sum(mend_gathered(output_dir, stage) for stage in (*GATHERED, *drawn))
    again = "run the workflow again, which makes them again" if found else "nothing to do"
    print(f"{found} results missing or changed: {again}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
