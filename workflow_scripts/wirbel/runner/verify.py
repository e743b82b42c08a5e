"""Compare recorded results with the disk: `python -m wirbel.runner.verify --output-dir DIR`.

Where a result is missing or has another size, the manifests of that stage and of the later ones are removed,
so that the next run of the workflow looks at the batch again and computes what is missing (and only that).
Reads names and sizes, no contents.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.runner.batches import list_batches
from wirbel.runner.records import read_records
from wirbel.runner.summary import STAGES


def damaged(manifest: Path, output_dir: Path) -> list[str]:
    """Return the scans of a manifest whose recorded results are not on the disk as written."""
    records = read_records(manifest).values()
    return [record.scan_id for record in records if not record.is_complete(output_dir)]


def mend(output_dir: Path, batch: str) -> int:
    """Report a batch's missing results, forget its manifests from there on; return how many."""
    found = 0
    for stage in STAGES:
        manifest = output_dir / "work" / stage / f"{batch}.tsv"
        scans = damaged(manifest, output_dir) if manifest.exists() else []
        if scans:
            print(f"{stage} {batch}: results missing or changed for {', '.join(scans)}")
        found += len(scans)
        if found:
            manifest.unlink(missing_ok=True)
    return found


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
