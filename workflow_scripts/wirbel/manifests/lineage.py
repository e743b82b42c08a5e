"""Follow a result back from key to key: the records of the stages that led to it."""

from __future__ import annotations

from pathlib import Path

from wirbel.manifests.records import OK, DamagedManifest, Record, manifest_file, read_records

NO_STAGE = "batches"
Tables = dict[str, dict[str, Record]]
"""Stage -> scan -> record."""


def read_manifests(output_dir: Path, batch: str) -> Tables:
    """Read the current manifests of a batch; one that a failing disk changed counts as empty.

    Its stage runs again, or its own reader names it. It may be a later stage's, which stops nobody.
    """
    found = sorted(output_dir.glob(f"work/*/{batch}.tsv"))
    return {path.parent.name: read_if_whole(path) for path in found if path.parent.name != NO_STAGE}


def read_if_whole(path: Path) -> dict[str, Record]:
    """Read a manifest; empty if it is not what was written."""
    try:
        return read_records(path)
    except DamagedManifest:
        return {}


def lineage(tables: Tables, scan_id: str, key: str) -> dict[str, Record]:
    """Return stage -> record of the scan, from the stage whose result has `key` back to the first.

    Empty if no manifest has `key` (any more).
    """
    rows = {stage: table[scan_id] for stage, table in tables.items() if scan_id in table}
    by_key = {record.key: (stage, record) for stage, record in rows.items()}
    found: dict[str, Record] = {}
    while key in by_key:
        stage, record = by_key.pop(key)
        found[stage] = record
        key = record.source
    return found


def forget_incomplete(output_dir: Path, batch: str, found: dict[str, Record]) -> None:
    """Remove the manifests of the stages in `found` whose results are missing."""
    for stage, record in found.items():
        if record.status == OK and not record.is_complete(output_dir):
            manifest_file(output_dir, stage, batch).unlink(missing_ok=True)
