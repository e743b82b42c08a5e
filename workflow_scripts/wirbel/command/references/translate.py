"""Make tomograms of MR scans, and label maps of these, as a source for `annotate`; SETTINGS is a YAML file
(config/translate.yaml).

Run again, it goes on: finished scans are kept while scan, networks and code stay the same.
"""

from __future__ import annotations

import argparse

from wirbel.command.common.completion import FILE, offer
from wirbel.command.common.mistake import Mistake


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    settings = parser.add_argument("settings", help="YAML file with scans and networks")
    offer(settings, FILE)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0: all")


def run(args: argparse.Namespace) -> int:
    """Translate; raises Mistake."""
    from pathlib import Path

    from wirbel.io.settings_files import SettingsFileError
    from wirbel.io.translation.settings import read_translate_settings
    from wirbel.stages.translate import main

    try:
        read_translate_settings(Path(args.settings))
    except SettingsFileError as error:
        raise Mistake(str(error)) from None
    words = ["--settings", args.settings, "--device", args.device, "--threads", str(args.threads)]
    return main(words)
