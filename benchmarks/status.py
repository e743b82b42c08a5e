"""Seconds that `wirbel status` takes at 30,000 scans, its own start included, by batch size.

    python benchmarks/status.py [--batch-sizes 64 8] [--scans 30000] [--folder FOLDER]

Writes manifests of a study in which three quarters are done, one scan in 140 failed, and 100 batches are at work.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from statistics import median

from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.batches import COLUMNS, batch_file
from wirbel.manifests.records import (
    FAILED,
    OK,
    SKIPPED,
    Record,
    RecordBook,
    manifest_file,
    records_file,
    write_records,
)
from wirbel.manifests.seals import seal_line, seal_of
from wirbel.plan.chain import STAGES
from wirbel.plan.plan import Plan, write_plan
from wirbel.plan.stage_plan import StagePlan
from wirbel.study.run_lock import RunLock

ONE_FAILS_IN = 140
DONE_SHARE = 0.75
AT_WORK = 100


def make_study(folder: Path, scans: int, batch_size: int) -> None:
    """Write plan, lists, manifests, and the records of batches at work."""
    plan = Plan(tuple(StagePlan(stage, "code") for stage in STAGES))
    write_plan(folder, plan)
    names = (f"sub-{number:05}" for number in count(1))
    batches = -(-scans // batch_size)
    for number in range(1, batches + 1):
        batch = f"b{number:05}"
        _batch(folder, plan, batch, list(islice(names, batch_size)), number / batches <= DONE_SHARE)
    for number in range(batches, max(0, batches - AT_WORK), -1):
        lock = folder / "work" / "batches" / f".b{number:05}.lock"
        lock.write_text("process 1 on another-node\n")


def _batch(folder: Path, plan: Plan, batch: str, names: list[str], done: bool) -> None:
    rows = [
        dict.fromkeys(COLUMNS, "") | {"scan_id": name, "size": 1, "mtime_ns": 1} for name in names
    ]
    write_rows(batch_file(folder, batch), COLUMNS, rows)
    made_from, records = "list", [_record(name) for name in names]
    for stage in plan.stages[: 5 if done else 3]:
        seal = seal_of(stage, made_from, records)
        write_records(manifest_file(folder, stage.stage, batch), records, seal_line(seal))
        made_from = seal.holds
        records = [r if r.status == OK else replace(r, status=SKIPPED) for r in records]
    if not done:
        at_work, some = plan.stages[3], records[: len(names) // 2]
        book = RecordBook(records_file(folder, batch), at_work.stage)
        book.put(*(replace(r, key=at_work.key("before"), source="before") for r in some))


def _record(name: str) -> Record:
    if int(name[4:]) % ONE_FAILS_IN == 0:
        return Record(name, FAILED, "unreadable", "is not a complete NIfTI file", "0" * 32)
    outputs = (f"work/stage/{name}.nii.gz",)
    return Record(
        name, OK, "", "", "0" * 32, 12.5, outputs, (1000,), "1" * 32, "cpu", ("2" * 16,), (1,)
    )


def main() -> None:
    """Print seconds, median of five."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64, 8])
    parser.add_argument("--scans", type=int, default=30_000)
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary one")
    args = parser.parse_args()
    for size in args.batch_sizes:
        with tempfile.TemporaryDirectory(dir=args.folder) as place:
            make_study(Path(place), args.scans, size)
            lock = RunLock(place)
            assert lock.acquire()
            line = [sys.executable, "-m", "wirbel", "status", place, "--json"]
            seconds = []
            for _ in range(5):
                start = time.perf_counter()
                told = subprocess.run(line, check=True, capture_output=True, text=True).stdout
                seconds.append(time.perf_counter() - start)
            figures = {key: json.loads(told)[key] for key in ("scans", "measured", "failed")}
            print(f"batches of {size}: {median(seconds):.2f} s; {figures}")
            lock.release()


if __name__ == "__main__":
    main()
