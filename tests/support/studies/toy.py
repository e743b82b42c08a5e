"""Two tiny stages for tests of the runner: `count` counts a file's bytes, `double` doubles that.

Run by hand: `PYTHONPATH=tests:workflow_scripts python -m support.studies.toy count|double ...`. Content of the scan's
file decides what happens:
"broken" is a scan's fault, "bug" an unforeseen error, "full" a full disk, "memory" no memory.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from wirbel.errors import ScanError
from wirbel.io.atomic import write_text
from wirbel.plan.plan import Plan, Wishes, plan_file, write_plan
from wirbel.plan.stage_plan import PlannedModel, StagePlan
from wirbel.runner.arguments import add_runner_arguments, stage_arguments
from wirbel.runner.loop import run_stage
from wirbel.runner.machine import locks


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
NAMES = (*STAGES, "last")
"""The chain: `count` makes what is intermediate, `double` what is final; the third stage is never run."""


def plan_of(output_dir: Path, parameters=None, model=None, codes=None, drops=(), **wishes) -> Path:
    """Write a plan for the chain and return its file; `parameters` and `model` are those of all stages.

    `codes` is stage -> what stands for its code, `drops` what `double` drops.
    """
    models = {"model": PlannedModel("model", model)} if model else {}
    stages = tuple(
        StagePlan(name, (codes or {}).get(name, "toy"), parameters or {}, models) for name in NAMES
    )
    stages = (stages[0], replace(stages[1], drops=tuple(drops)), stages[2])
    write_plan(output_dir, Plan(stages, wishes=Wishes(**wishes)))
    return plan_file(output_dir)


def arguments(plan: Path, batch: str = "b00001") -> list[str]:
    """Return the command line of any stage over one batch."""
    return ["--plan", str(plan), "--batch", batch]


def parsed(plan: Path) -> argparse.Namespace:
    """Return that command line as a stage gets it."""
    return stage_arguments("toy", None, arguments(plan))


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--sleep", type=float, default=0.0)
    add_runner_arguments(parser)
    args = parser.parse_args(argv)
    return run_stage(STAGES[args.stage](args.sleep), args)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
