"""The argument `--compatibility`: whose decisions the steps around the networks follow."""

from __future__ import annotations

import argparse

NONE, SPINEPS = "none", "spineps"


def add_compatibility_argument(parser: argparse.ArgumentParser) -> None:
    """Let a stage be told to work as another tool does."""
    parser.add_argument(
        "--compatibility",
        choices=(NONE, SPINEPS),
        default=NONE,
        help="spineps: the steps around the network as SPINEPS 2.1.3 does them",
    )


def as_spineps(args: argparse.Namespace) -> bool:
    """Return whether the stage shall work as SPINEPS does."""
    return args.compatibility == SPINEPS


def compatibility_parameter(args: argparse.Namespace) -> dict[str, str]:
    """Return what goes into the provenance key and the sidecars; nothing without compatibility."""
    return {"Compatibility": args.compatibility} if as_spineps(args) else {}
