"""What the toy stages share: a scan is a text file, its result the text with letters added.

A stage adds its own letter and the first digits of its plan's settings and models, so that a result tells what it was
made by. A text with "broken" in it fails. The environment variable TOY_SLEEP (seconds) slows every scan down, and
every scan computed is noted in work/computed.log.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from wirbel.errors import ScanError
from wirbel.io.atomic import write_text
from wirbel.manifests.findings import data_set_mark
from wirbel.manifests.receipts import digest_of_seals, read_seals, write_receipt
from wirbel.plan.plan import output_of, read_plan
from wirbel.runner.loop import run_planned


class ToyStage:
    """Reads the result of the stage before (or the scan), adds its letters, writes its own."""

    def __init__(self, name: str, before: str | None, letters: str) -> None:
        self.name, self.before, self.letters = name, before, letters

    def prepare(self):
        pass

    def load(self, scan, folders):
        self.log = folders.output_dir / "work" / "computed.log"
        path = scan.path
        if self.before:
            path = folders.stage(self.before) / f"{scan.scan_id}.txt"
        return scan.scan_id, path.read_text()

    def compute(self, inputs):
        scan_id, text = inputs
        with open(self.log, "a") as log:
            log.write(f"{self.name} {scan_id}\n")
        time.sleep(float(os.environ.get("TOY_SLEEP", "0")))
        if "broken" in text:
            raise ScanError("unreadable", f"{scan_id} is broken")
        return text + self.letters

    def save(self, scan, result, folders):
        path = folders.stage(self.name) / f"{scan.scan_id}.txt"
        write_text(path, result)
        return [path]


def run(name: str, before: str | None, letter: str, argv=None) -> int:
    def make(plan, args):
        n4 = "" if plan.settings.get("bias_field", True) else "-"
        return ToyStage(name, before, letter + n4)

    return run_planned(name, make, __doc__, argv)


def gather(name: str, write, argv=None) -> int:
    """Run a stage that is made from all scans; `write` takes (output folder, plan) and returns its files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--threads")
    args = parser.parse_args(argv)
    folder, plan = output_of(args.plan), read_plan(args.plan)
    tables = name != "contact_sheet"
    seals = read_seals(folder, plan, plan.names if tables else plan.names[-2:])
    mark = data_set_mark(folder) if tables else ""
    paths = write(folder, plan)
    made_from = digest_of_seals(seals, mark)
    write_receipt(folder, name, plan.stage(name).fingerprint, made_from, paths)
    return 0


def everything(output_dir: Path, stage: str) -> list[tuple[str, str]]:
    """Return (scan, result or reason) of all scans at a stage, sorted."""
    from wirbel.manifests.batches import list_batches
    from wirbel.manifests.records import read_records

    rows = []
    for batch in list_batches(output_dir):
        for record in read_records(output_dir / "work" / stage / f"{batch}.tsv").values():
            text = record.reason
            if record.status == "ok":
                text = (output_dir / record.outputs[0]).read_text()
            rows.append((record.scan_id, text))
    return sorted(rows)
