"""What came out of a run, in a few lines for a person: `python -m wirbel.runner.summary OUTPUT_DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.runner.batches import list_batches
from wirbel.runner.records import FAILED, OK, read_records

STAGES = ("resample", "semantic", "instance", "merge", "features")
"""The per-scan stages in their order."""
MOST_FAILURES = 20
"""Failed scans named one by one; the others are in failures.csv."""


def failures(output_dir: str | Path) -> list[str]:
    """Return one line per failed scan, sorted by scan."""
    lines = []
    for stage in STAGES:
        for batch in list_batches(output_dir):
            for record in _records(output_dir, stage, batch):
                if record.status == FAILED:
                    lines.append(
                        f"{record.scan_id}: failed at {stage} ({record.reason}): {record.detail}"
                    )
    return sorted(lines)


def summary(output_dir: str | Path) -> str:
    """Return counts, the reasons of failures, and where the results are."""
    failed = failures(output_dir)
    done = sum(
        record.status == OK
        for batch in list_batches(output_dir)
        for record in _records(output_dir, STAGES[-1], batch)
    )
    lines = [f"{done} scans measured, {len(failed)} failed"]
    lines += failed[:MOST_FAILURES]
    if len(failed) > MOST_FAILURES:
        lines.append(f"... and {len(failed) - MOST_FAILURES} more in cohort/failures.csv")
    results = {"Table": "cohort/vertebrae.csv", "Contact sheet": "qc/contact_sheet.png"}
    for title, name in results.items():
        if Path(output_dir, name).is_file():
            lines.append(f"{title}: {Path(output_dir, name)}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Print the summary of an output folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output_dir", type=Path)
    print(summary(parser.parse_args(argv).output_dir))
    return 0


def _records(output_dir: str | Path, stage: str, batch: str):
    path = Path(output_dir, "work", stage, f"{batch}.tsv")
    return read_records(path).values() if path.exists() else ()


if __name__ == "__main__":
    sys.exit(main())
