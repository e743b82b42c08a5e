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
    other = parser.add_argument(
        "--compare", nargs="+", default=[], help="output folders of other models, same scans"
    )
    offer(other, DIRECTORY)
    parser.add_argument(
        "--by",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="part the scans by level, scanner, or columns of participants.tsv or cohort/scans.csv",
    )
    parser.add_argument(
        "--tolerance-mm",
        type=float,
        help="surfaces this near count as equal in the NSD; default: 1",
    )
    parser.add_argument(
        "--published", choices=("spider",), help="put published figures beside these results"
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate; raises Mistake."""
    if args.scheme:
        check_scheme(args.scheme)
    plan = plan_of(args.output_dir)
    for other in args.compare:
        plan_of(other)
    reference = args.reference or str(Path(plan.bids_dir, "derivatives", "truth"))
    try:
        check_reference(reference)
    except Refused as refusal:
        raise Mistake(str(refusal)) from None
    return evaluated(words_for(args, plan.bids_dir, reference))


def words_for(args: argparse.Namespace, bids_dir: str, reference: str) -> list[str]:
    """Return the arguments of the stage."""
    words = ["--output-dir", args.output_dir, "--reference", reference, "--shows", args.shows]
    words += ["--bids-dir", bids_dir]
    words += ["--scheme", args.scheme] if args.scheme else []
    words += ["--compare", *args.compare] if args.compare else []
    words += ["--by", *args.by] if args.by else []
    words += ["--published", args.published] if args.published else []
    return words + (["--tolerance-mm", str(args.tolerance_mm)] if args.tolerance_mm else [])


def evaluated(words: list[str]) -> int:
    """Run the stage; raises Mistake for what the user can mend."""
    from wirbel.io.foreign.label_schemes import UnknownLabelError
    from wirbel.stages.evaluate import UnknownColumnError, main

    try:
        return main(words)
    except (UnknownLabelError, UnknownColumnError) as error:
        raise Mistake(str(error)) from None


def check_scheme(name: str) -> None:
    """Raise Mistake if there is no such label scheme."""
    from wirbel.io.foreign.label_schemes import SchemeError, read_scheme  # needs numpy

    try:
        read_scheme(name)
    except SchemeError as error:
        raise Mistake(str(error)) from None
