"""Completion of the command in a shell, by shtab, which is imported only where it is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

DIRECTORY, FILE = "DIRECTORY", "FILE"
"""What a shell offers for an argument; set as its attribute `complete`."""


def complete(root: argparse.ArgumentParser, children: Iterable[argparse.ArgumentParser]) -> None:
    """Add the option that prints a shell's script, and give arguments the words that shtab has for what they are."""
    import shtab

    shtab.add_argument_to(root, help="print a script that completes this command in a shell")
    for child in children:
        for action in child._actions:
            if hasattr(action, "complete"):
                action.complete = getattr(shtab, action.complete)
