"""Check this machine: Python and packages, disk, processors, GPU, SLURM, networks, permissions.

Prints a line for each, and for what is wrong what to do about it. Exit code 1 where a run could not work.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from wirbel.command.common.completion import DIRECTORY, offer
from wirbel.command.health.findings import FAULT, OK, Finding
from wirbel.command.health.machine import look_at_machine
from wirbel.command.health.software import look_at_software
from wirbel.command.health.study import look_at_study

MARKS = {OK: "ok", FAULT: "FAULT"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    folder = parser.add_argument(
        "output_dir", nargs="?", default=".", help="where results will be written; default: here"
    )
    offer(folder, DIRECTORY)
    parser.add_argument("--models", default="builtin", help="the networks that a run will use")


def run(args: argparse.Namespace) -> int:
    """Look at everything; return 1 where something is wrong that a run needs."""
    folder = Path(args.output_dir).expanduser()
    found = [*look_at_software(), *look_at_machine(), *look_at_study(folder, args.models)]
    for finding in found:
        print(_line(finding))
    faults = sum(finding.state == FAULT for finding in found)
    told = "1 fault" if faults == 1 else f"{faults} faults"
    print(f"\n{told}: see above what to do." if faults else "\nA run can begin.")
    return 1 if faults else 0


def _line(finding: Finding) -> str:
    remedy = f"\n{'':<18}{finding.remedy}" if finding.remedy else ""
    return f"{MARKS.get(finding.state, 'note'):<6}{finding.subject:<12}{finding.told}{remedy}"
