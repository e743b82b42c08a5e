"""What the toy stages share: a scan is a text file, its result the text with a letter added.

A text with "broken" in it fails. The environment variable TOY_SLEEP (seconds) slows every scan down, and
every scan computed is noted in work/computed.log.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from wirbel.errors import ScanError
from wirbel.io.atomic import write_text
from wirbel.runner.runner import add_runner_arguments, run_stage


class ToyStage:
    """Reads the result of the stage before (or the scan), adds a letter, writes its own."""

    def __init__(self, name: str, before: str | None, letter: str) -> None:
        self.name, self.before, self.letter = name, before, letter

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
        return text + self.letter

    def save(self, scan, result, folders):
        path = folders.stage(self.name) / f"{scan.scan_id}.txt"
        write_text(path, result)
        return [path]


def run(name: str, before: str | None, letter: str, argv=None) -> int:
    parser = argparse.ArgumentParser()
    add_runner_arguments(parser)
    parser.add_argument("--model")
    parser.add_argument("--instance-model")
    parser.add_argument("--n4", action=argparse.BooleanOptionalAction)
    args, _ = parser.parse_known_args(argv)
    parameters = {"model": args.model, "n4": args.n4}
    return run_stage(ToyStage(name, before, letter), args, parameters)


def everything(output_dir: Path, stage: str) -> list[tuple[str, str]]:
    """Return (scan, result or reason) of all scans at a stage, sorted."""
    from wirbel.runner.batches import list_batches
    from wirbel.runner.records import read_records

    rows = []
    for batch in list_batches(output_dir):
        for record in read_records(output_dir / "work" / stage / f"{batch}.tsv").values():
            text = record.reason
            if record.status == "ok":
                text = (output_dir / record.outputs[0]).read_text()
            rows.append((record.scan_id, text))
    return sorted(rows)
