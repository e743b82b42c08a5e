"""Compare recorded results with the disk: `python -m wirbel.runner.verify --output-dir DIR`.

Where a result is missing or has another size, the manifests of that stage and of the later ones are removed, so
that the next run of the workflow looks at the batch again and computes what is missing (and only that).
Intermediate results that nobody needs any more are not missed; when a final result is gone, those that it was
made from are wanted again. Reads names and sizes, no contents.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.runner.batches import list_batches
from wirbel.runner.chain import ALL_STAGES, INTERMEDIATE, LABEL, LAST_READER
from wirbel.runner.lineage import Tables, lineage, read_manifests
from wirbel.runner.records import OK, manifest_file


def mend(output_dir: Path, batch: str) -> int:
    """Report a batch's missing results, forget its manifests from there on; return how many."""
    tables = read_manifests(output_dir, batch)
    unneeded = _unneeded(output_dir, tables)
    found = 0
    for stage in ALL_STAGES:
        records = tables.get(stage, {}).values()
        absent = {r.scan_id for r in records if not r.is_complete(output_dir)}
        missing = sorted(absent - {scan_id for name, scan_id in unneeded if name == stage})
        if missing:
            print(f"{stage} {batch}: results missing or changed for {', '.join(missing)}")
        found += len(missing)
        if found:
            manifest_file(output_dir, stage, batch).unlink(missing_ok=True)
    return found


def _unneeded(output_dir: Path, tables: Tables) -> set[tuple[str, str]]:
    """Return (stage, scan) of intermediate results from which a final one was made that is there."""
    return {
        (stage, record.scan_id)
        for reader in (LAST_READER, LABEL)
        for record in tables.get(reader, {}).values()
        if record.status == OK and record.is_complete(output_dir)
        for stage in lineage(tables, record.scan_id, record.key)
        if stage in (*INTERMEDIATE, LAST_READER)
    }


def main(argv: list[str] | None = None) -> int:
    """Check all manifests; 0 also when something was found, since the next run will mend it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output-dir", type=Path, required=True)
    output_dir = parser.parse_args(argv).output_dir
    found = sum(mend(output_dir, batch) for batch in list_batches(output_dir))
    again = "run the workflow again to compute them" if found else "nothing to do"
    print(f"{found} results missing or changed: {again}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
