"""What does the QC report cost for a large cohort, and what when one batch is added?

    .venv/bin/python benchmarks/report_growth.py --scans 3000

Makes the tables of simulated results (`gather.py`), lists of pictures as the batches leave them, and the report; then
the same again with one batch of 64 more, in place and in an empty folder. Prints CPU seconds and MB of files written of
each. Pictures themselves are drawn by batch, about 0.6 CPU seconds a scan, whatever the cohort's size.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

from gather import BATCH, gather, simulate

from wirbel.manifests.batches import list_batches
from wirbel.report.batch_pictures import pictures_file
from wirbel.report.cohort_report import write_report
from wirbel.stages.report import study_of


def main() -> None:
    """Make the report of a cohort, then of the cohort and one batch more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=3000, help="scans before the batch is added")
    parser.add_argument("--seed", type=int, default=1, help="seed of the values")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        output, bids = Path(scratch) / "output", Path(scratch) / "bids"
        (output / "work" / "features").mkdir(parents=True)
        for scans in (args.scans, args.scans + BATCH):
            simulate(output, bids, scans, args.seed)
            list_pictures(output)
            gather(output, bids, threads=1)
            measure(output, f"report of {scans} scans")
        shutil.rmtree(output / "qc")
        list_pictures(output)
        measure(output, "the same in an empty folder")


def list_pictures(output: Path) -> None:
    """Write what `pictures` leaves beside the panels: scan -> where its thumbnail and its panel are."""
    for batch in list_batches(output):
        path = pictures_file(output, batch)
        path.parent.mkdir(parents=True, exist_ok=True)
        names = (output / "work" / "batches" / f"{batch}.tsv").read_text().splitlines()[1:]
        scans = [line.split("\t")[0] for line in names]
        at = {
            s: {"sheet": batch, "x": i % 8, "y": i // 8, "flagged": False}
            for i, s in enumerate(scans)
        }
        path.write_text(json.dumps(at))


def measure(output: Path, what: str) -> None:
    """Make the report, and print its CPU seconds and the MB of its files that were written."""
    before = changed(output / "qc")
    start = time.process_time()
    write_report(output, study_of(output, str(output.parent / "bids")))
    spent = time.process_time() - start
    after = changed(output / "qc")
    written = [path for path, stamp in after.items() if before.get(path) != stamp]
    size = sum(path.stat().st_size for path in written) / 2**20
    total = sum(path.stat().st_size for path in after) / 2**20
    print(
        f"{what}: {spent:.1f} s of CPU, {len(written)} of {len(after)} files written, {size:.1f} of {total:.1f} MB",
        flush=True,
    )


def changed(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return each file of the pages with what tells that it was written: its number and time."""
    found = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}


if __name__ == "__main__":
    main()
