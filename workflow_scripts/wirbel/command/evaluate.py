"""Compare results with known label maps and measures; writes evaluation/ in the output folder.

The reference is a folder with label maps; where none is given, the truth of a simulated data set.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from wirbel.command.common.completion import DIRECTORY, offer
from wirbel.command.common.mistake import Mistake
from wirbel.command.common.results import plan_of
from wirbel.study.checks.start import check_reference
from wirbel.study.refused import Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    folder = parser.add_argument("output_dir", help="the output folder of a finished run")
    offer(folder, DIRECTORY)
    reference = parser.add_argument("--reference", help="folder with label maps")
    offer(reference, DIRECTORY)
    parser.add_argument(
        "--shows",
        choices=("all", "some", "bodies"),
        default="all",
        help="what the reference shows: all vertebrae of a scan, some of them, or the bodies of some",
    )
    parser.add_argument(
        "--scheme",
        default="",
        help="how the reference is numbered, if not like results: spider, verse, ... or a YAML file",
    )
    other = parser.add_argument("--compare", help="output folder of another model, same scans")
    offer(other, DIRECTORY)


def run(args: argparse.Namespace) -> int:
    """Evaluate; raises Mistake."""
    if args.scheme:
        check_scheme(args.scheme)
    plan = plan_of(args.output_dir)
    if args.compare:
        plan_of(args.compare)
    reference = args.reference or str(Path(plan.bids_dir, "derivatives", "truth"))
    try:
        check_reference(reference)
    except Refused as refusal:
        raise Mistake(str(refusal)) from None
    from wirbel.io.foreign.label_schemes import UnknownLabelError
    from wirbel.stages.evaluate import main

    words = ["--output-dir", args.output_dir, "--reference", reference, "--shows", args.shows]
    words += ["--scheme", args.scheme] if args.scheme else []
    words += ["--compare", args.compare] if args.compare else []
    try:
        return main(words)
    except UnknownLabelError as error:
        raise Mistake(str(error)) from None


def check_scheme(name: str) -> None:
    """Raise Mistake if there is no such label scheme."""
    from wirbel.io.foreign.label_schemes import SchemeError, read_scheme  # needs numpy

    try:
        read_scheme(name)
    except SchemeError as error:
        raise Mistake(str(error)) from None
