"""The command-line arguments that all per-scan stages share."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which batch is to be computed, and how."""
    group = parser.add_argument_group("batch")
    group.add_argument("--batch", type=Path, required=True, help="list of scans (TSV)")
    group.add_argument("--previous", type=Path, help="manifest of the stage before")
    group.add_argument("--manifest", type=Path, required=True, help="manifest to write (TSV)")
    group.add_argument("--output-dir", type=Path, required=True, help="the output folder")
    group.add_argument("--threads", type=int, default=1, help="CPU threads to use")
    group.add_argument(
        "--retry-failed",
        default="false",
        help="try failed scans again: false, true, or reason codes separated by commas; "
        "anything after an @ is ignored",
    )
    group.add_argument(
        "--max-failed-fraction",
        type=float,
        default=0.5,
        help="stop when more than this fraction of the scans meets unforeseen errors",
    )
    group.add_argument("--code-hash", help="hash of the stage's code (default: computed)")
    group = parser.add_argument_group("intermediate results")
    group.add_argument(
        "--later",
        nargs="*",
        default=[],
        metavar="COMMAND",
        help="commands of the later stages that use this one's results, in their order: results that were "
        "removed are made again only for scans with which one of them is not done",
    )
    group.add_argument(
        "--drop",
        nargs="*",
        default=[],
        metavar="STAGE",
        help="earlier stages, in their order, whose results nobody needs once this one is done",
    )
    group.add_argument(
        "--describe",
        action="store_true",
        help="compute nothing; print what, besides the input, decides the result",
    )
