"""Fuse several segmentations of each scan into one annotation; SETTINGS is a YAML file (config/annotate.yaml).

Run again, it goes on; readers' corrections are used and never overwritten.
"""

from __future__ import annotations

import argparse

from wirbel.command.common.completion import FILE, offer
from wirbel.command.common.mistake import Mistake


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    settings = parser.add_argument("settings", help="YAML file with sources and methods")
    offer(settings, FILE)
    parser.add_argument("--processes", type=int, default=1, help="scans fused at the same time")


def run(args: argparse.Namespace) -> int:
    """Annotate; raises Mistake."""
    from pathlib import Path

    from wirbel.io.annotation.settings import AnnotateSettingsError, read_annotate_settings
    from wirbel.stages.annotate import main

    try:
        read_annotate_settings(Path(args.settings))
    except AnnotateSettingsError as error:
        raise Mistake(str(error)) from None
    return main(["--settings", args.settings, "--processes", str(args.processes)])
