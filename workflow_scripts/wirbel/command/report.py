"""Make the quality-control pages again, from the tables of the last run; computes no scan."""

from __future__ import annotations

import argparse

from wirbel.command.common.completion import DIRECTORY, offer
from wirbel.command.common.results import plan_of
from wirbel.plan.plan import plan_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    folder = parser.add_argument("output_dir", help="the output folder of a finished run")
    offer(folder, DIRECTORY)


def run(args: argparse.Namespace) -> int:
    """Make the pages; raises Mistake."""
    plan_of(args.output_dir)
    from wirbel.stages.report import main

    return main(["--plan", str(plan_file(args.output_dir))])
