"""The command-line arguments that all per-scan stages share."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name the batch to compute and the plan."""
    parser.add_argument(
        "--plan",
        type=Path,
        required=True,
        help="work/plan.json of the output folder, as the workflow wrote it",
    )
    parser.add_argument("--batch", required=True, help="the batch's name, such as b00001")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads to use")
    parser.add_argument(
        "--device", default="auto", help="for networks: auto, cpu or cuda (default: %(default)s)"
    )


def stage_arguments(
    stage: str, description: str | None, argv: list[str] | None
) -> argparse.Namespace:
    """Return the arguments of a per-scan stage's command line."""
    parser = argparse.ArgumentParser(prog=f"wirbel.stages.{stage}", description=description)
    add_runner_arguments(parser)
    return parser.parse_args(argv)
