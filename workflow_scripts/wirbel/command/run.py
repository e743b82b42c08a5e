"""Segment and measure the scans of a BIDS folder; the same command goes on where the last run stopped.

Settings are written KEY=VALUE, such as batch_size=16 (config/README.md lists them). Everything after `--` goes to
Snakemake as it is: wirbel run DATA RESULTS -- --until merge
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from wirbel.command.common.completion import DIRECTORY, FILE, offer
from wirbel.command.starting.checks import check
from wirbel.command.starting.line import snakemake_line
from wirbel.command.starting.words import Wanted, understood
from wirbel.study.ending.run_record import COMMAND_VARIABLE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    words = parser.add_argument(
        "words",
        nargs="*",
        metavar="BIDS_DIR OUTPUT_DIR [KEY=VALUE ...]",
        help="folder with sub-*/[ses-*/]anat/*_T2w.nii.gz; folder for the results; settings",
    )
    offer(words, DIRECTORY)
    add_options(parser)
    parser.set_defaults(explains_unknown=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that a run shares with the BIDS-App call."""
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="say what would be done and why; do nothing"
    )
    profile = parser.add_argument(
        "--profile", default="default", help="default, slurm, or a folder (see wirbel profile)"
    )
    offer(profile, DIRECTORY)
    parser.add_argument("-c", "--cores", help="processors to use at most on this machine, or all")
    configfile = parser.add_argument(
        "--configfile", nargs="+", action="append", default=[], help="YAML files with settings"
    )
    offer(configfile, FILE)
    parser.add_argument("--config", nargs="+", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("-q", "--quiet", action="store_true", help="print the summary only")


def run(args: argparse.Namespace) -> int:
    """Check the command, then become Snakemake; does not return when all is well."""
    return start(understood(args))


def start(wanted: Wanted) -> int:
    """Check what is wanted, then become Snakemake; raises Mistake before any job starts."""
    check(wanted)
    line = snakemake_line(wanted)
    command = shlex.join(["wirbel", *sys.argv[1:]])
    os.environ.setdefault(COMMAND_VARIABLE, command)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(line[0], line)  # signals, exit code and terminal are Snakemake's own
