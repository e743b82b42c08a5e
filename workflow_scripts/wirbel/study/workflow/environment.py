"""The environment that jobs inherit from the main process."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def put_on_path(sources: Path) -> None:
    """Let jobs find this repository's package and this environment's Python, and no other copies of packages.

    Outside a checkout there is no folder `sources`: the package is installed.
    """
    programs = str(Path(sys.executable).parent)
    os.environ["PYTHONPATH"] = str(sources) if sources.is_dir() else ""
    os.environ["PATH"] = os.pathsep.join([programs, os.environ["PATH"]])
