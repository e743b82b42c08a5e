"""Say how far a run is: scans by stage, scans per hour, time left, and the most frequent reasons of failures.

It only reads, so it is safe while a run is going, on this machine or elsewhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime

from wirbel.command.common.completion import DIRECTORY, offer
from wirbel.command.common.mistake import Mistake
from wirbel.study.watching.status import NothingYet, Status, look
from wirbel.study.watching.words import as_json, in_words

CLEAR = "\033[H\033[J"
"""Moves a terminal's cursor to the top and clears what is below."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    folder = parser.add_argument("output_dir", help="the output folder of a run")
    offer(folder, DIRECTORY)
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    parser.add_argument(
        "--watch",
        nargs="?",
        type=float,
        const=5.0,
        metavar="SECONDS",
        help="say it again every 5 (or SECONDS) seconds until the run ends",
    )


def run(args: argparse.Namespace) -> int:
    """Print the status, once or until the run ends; raises Mistake."""
    if args.watch is not None and args.watch <= 0:
        raise Mistake(f"--watch {args.watch:g}: expected a number of seconds above 0")
    status = _look(args.output_dir)
    while True:
        _show(status, args)
        if args.watch is None or not status.holder:
            return 0
        time.sleep(args.watch)
        status = _look(args.output_dir)


def _look(output_dir: str) -> Status:
    try:
        return look(output_dir)
    except NothingYet as error:
        raise Mistake(str(error)) from None
    except OSError as error:
        raise Mistake(f"{output_dir} cannot be read: {error.strerror}: {error.filename}") from None


def _show(status: Status, args: argparse.Namespace) -> None:
    text = as_json(status) if args.json else in_words(status)
    if args.watch is not None and not args.json:
        now = f"{datetime.now():%Y-%m-%d %H:%M:%S}\n"
        text = (CLEAR if sys.stdout.isatty() else "\n") + now + text
    print(text, flush=True)
