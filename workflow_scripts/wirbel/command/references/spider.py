"""Segment the public SPIDER data set as it is downloaded, and print the paper's table with the published figures.

Writes WORK_DIR/bids (scans and masks) and WORK_DIR/results; the same command continues. Going by its
size, the paper's test set is SPIDER's subset validation (39 patients), the default here; --subset all takes all.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from wirbel.command.common.completion import DIRECTORY, offer
from wirbel.command.common.mistake import Mistake
from wirbel.command.references.evaluate import evaluated
from wirbel.command.run import add_options
from wirbel.command.starting.checks import check
from wirbel.command.starting.line import snakemake_line
from wirbel.command.starting.words import understood

SUBSETS = ("validation", "training", "all")
FINISHED = (0, 3)
"""Exit codes of a run that ended: also one in which many scans failed, which count as missed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    folder = parser.add_argument("spider_dir", help="images/, masks/ and overview.csv")
    offer(folder, DIRECTORY)
    work = parser.add_argument("work_dir", help="folder for scans as BIDS and for results")
    offer(work, DIRECTORY)
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="as for wirbel run")
    parser.add_argument(
        "--subset",
        choices=SUBSETS,
        default=SUBSETS[0],
        help="patients to take; default: validation",
    )
    parser.add_argument(
        "--by",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="part the scans, as wirbel evaluate does",
    )
    add_options(parser)
    parser.set_defaults(explains_unknown=True)


def run(args: argparse.Namespace) -> int:
    """Prepare, segment and evaluate; raises Mistake."""
    from wirbel.io.references.spider import MASKS
    from wirbel.stages.spider import main as prepare

    bids, results = Path(args.work_dir, "bids"), Path(args.work_dir, "results")
    words = ["--spider-dir", args.spider_dir, "--bids-dir", str(bids)]
    if prepare([*words, "--subset", "" if args.subset == "all" else args.subset]):
        raise Mistake("SPIDER could not be read; see the line above")
    args.words = [str(bids), str(results), *args.settings]
    wanted = understood(args)
    check(wanted)
    code = subprocess.call(snakemake_line(wanted))
    if args.dry_run or code not in FINISHED:
        return code
    words = ["--output-dir", str(results), "--reference", str(bids / MASKS), "--scheme", "spider"]
    words += ["--published", "spider", "--bids-dir", str(bids)]
    return evaluated(words + (["--by", *args.by] if args.by else []))
