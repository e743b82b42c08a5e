"""Run per-scan stages one after another in one process: `python -m wirbel.stages semantic instance --plan ...`.

Each stage is run as its own command line would run it, with the same arguments. The first one that does not end well
ends the process.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from itertools import takewhile


def main(argv: list[str]) -> int:
    """Run the stages that are named before the first option; return the exit code."""
    names = list(takewhile(lambda word: not word.startswith("-"), argv))
    if not names:
        raise SystemExit(
            "expected names of stages, as in `python -m wirbel.stages semantic instance`"
        )
    for name in names:
        code = import_module(f"wirbel.stages.{name}").main(argv[len(names) :])
        if code:
            return code
        gc.collect()  # the next network takes the place of this one
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
