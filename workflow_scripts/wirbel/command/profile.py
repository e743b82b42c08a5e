"""Copy a profile, to edit it: the names of your cluster's partitions, your account, limits.

Then run with it: wirbel run BIDS_DIR OUTPUT_DIR --profile FOLDER
"""

from __future__ import annotations

import argparse
import shlex
import shutil
from pathlib import Path

from wirbel.command.common.completion import DIRECTORY, offer
from wirbel.command.common.mistake import Mistake
from wirbel.command.starting.line import PROFILES, shipped_profiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", choices=shipped_profiles(), help="the profile to copy")
    folder = parser.add_argument("folder", help="a folder that does not exist yet")
    offer(folder, DIRECTORY)


def run(args: argparse.Namespace) -> int:
    """Copy; raises Mistake."""
    folder = Path(args.folder).expanduser()
    if folder.exists():
        raise Mistake(f"{folder} exists already: choose another folder, or remove it first")
    try:
        shutil.copytree(PROFILES / args.name, folder)
    except OSError as error:
        raise Mistake(f"{folder} cannot be written: {error.strerror}") from None
    command = f"wirbel run BIDS_DIR OUTPUT_DIR --profile {shlex.quote(str(folder))}"
    print(f"Edit {folder / 'config.yaml'}, then: {command}")
    return 0
