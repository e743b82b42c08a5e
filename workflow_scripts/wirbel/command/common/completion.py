"""Completion of the command in a shell by shtab, which is imported only when needed."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

DIRECTORY, FILE = "DIRECTORY", "FILE"
"""What a shell offers for an argument."""


def offer(action: argparse.Action, what: str) -> None:
    """Let shells offer folders (`DIRECTORY`) or files (`FILE`) for an argument: shtab reads it from there."""
    vars(action)["complete"] = what


def complete(root: argparse.ArgumentParser, children: Iterable[argparse.ArgumentParser]) -> None:
    """Add the option that prints a shell's script, and translate what arguments offer into shtab's terms."""
    import shtab

    shtab.add_argument_to(root, help="print a script that completes this command in a shell")
    for child in children:
        for action in child._actions:
            if "complete" in vars(action):
                vars(action)["complete"] = getattr(shtab, vars(action)["complete"])
