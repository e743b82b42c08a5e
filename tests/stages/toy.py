"""Two tiny stages for tests of the runner: `count` counts a file's bytes, `double` doubles that.

Run by hand: `python tests/stages/toy.py count|double ...`. Content of the scan's file decides what happens:
"broken" is a scan's fault, "bug" an unforeseen error, "full" a full disk, "memory" no memory.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from pathlib import Path

from wirbel.errors import ScanError
from wirbel.io.atomic import write_text
from wirbel.runner import locks
from wirbel.runner.runner import add_runner_arguments, run_stage


class Count:
    name = "count"

    def __init__(self, sleep: float = 0.0) -> None:
        self.sleep = sleep
        self.calls: list[str] = []
        self.prepared = 0

    def prepare(self):
        self.prepared += 1

    def load(self, scan, folders):
        return scan.scan_id, scan.path.read_text()

    def compute(self, inputs):
        scan_id, text = inputs
        self.calls.append(scan_id)
        time.sleep(self.sleep)
        if text == "broken":
            raise ScanError("no_spine_found", "expected a spine, found none")
        if text == "bug":
            raise KeyError("something")
        if text == "memory":
            raise MemoryError
        return text

    def save(self, scan, result, folders):
        if result == "full":
            raise OSError(errno.ENOSPC, "No space left on device")
        path = folders.stage(self.name) / f"{scan.scan_id}_count.txt"
        write_text(path, str(len(result)))
        return [path]


class Double(Count):
    name = "double"
    reads_scan = True

    def load(self, scan, folders):
        return scan.scan_id, (folders.stage("count") / f"{scan.scan_id}_count.txt").read_text()

    def save(self, scan, result, folders):
        path = folders.anat(scan) / f"{scan.scan_id}_double.txt"
        write_text(path, str(2 * int(result)))
        return [path]


if os.environ.get("TOY_NO_LOCKS"):  # a file system that knows no locks
    locks._try_lock = lambda descriptor: True

STAGES = {"count": Count, "double": Double}


def arguments(output_dir: Path, stage: str, batch: str = "b00001", *more: str) -> list[str]:
    """Return the command line of a stage over one batch."""
    work = output_dir / "work"
    line = ["--batch", work / "batches" / f"{batch}.tsv", "--output-dir", output_dir]
    line += ["--manifest", work / stage / f"{batch}.tsv", "--code-hash", "toy", *more]
    if stage == "double":
        line += ["--previous", work / "count" / f"{batch}.tsv"]
    return [str(part) for part in line]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--sleep", type=float, default=0.0)
    add_runner_arguments(parser)
    args = parser.parse_args(argv)
    return run_stage(STAGES[args.stage](args.sleep), args, {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
