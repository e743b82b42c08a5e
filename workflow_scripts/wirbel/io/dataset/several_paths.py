"""Several paths as one: what was delivered of a scan in parts, such as an archive for each series."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

SEPARATOR = "\n"
"""No path of a table holds a line end (`wirbel.io.dataset.scan_table`)."""


def joined_paths(paths: Iterable[str]) -> str:
    """Return one text that stands for all paths, each once, in the order of their names."""
    return SEPARATOR.join(sorted(set(paths)))


def parted_paths(path: str | Path) -> list[Path]:
    """Return the paths that a text stands for; usually one.

    Examples
    --------
    >>> [str(path) for path in parted_paths(joined_paths(["b.zip", "a.zip"]))]
    ['a.zip', 'b.zip']
    """
    return [Path(part) for part in os.fspath(path).split(SEPARATOR)]
