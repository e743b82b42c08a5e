"""List the networks that there are, fetch them, or verify their checksums.

A model is NAME (all its networks), KIND=NAME (one of them), or a folder, which can only be verified. Fetching needs
internet; compute nodes usually have none, so fetch on a login node.
"""

from __future__ import annotations

import argparse
import os

from wirbel.models.store import VARIABLE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=("list", "fetch", "verify"), help="what to do")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="NAME, KIND=NAME or a folder")
    parser.add_argument("--models-dir", help="where fetched networks are kept (setting models_dir)")


def run(args: argparse.Namespace) -> int:
    """Do it; return 1 where a network is missing or damaged."""
    if args.models_dir:
        os.environ[VARIABLE] = os.path.abspath(os.path.expanduser(args.models_dir))
    from wirbel.stages.models import main

    return main([args.action, *args.models])
