"""One stage of Wirbel in a process of its own: `wirbel_run.py ACCOUNT STAGE [the stage's arguments]`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from clock import NetworkClock, write_account

ON_A_NETWORK = ("semantic", "instance")

if __name__ == "__main__":
    account, name, *arguments = sys.argv[1:]
    clock = NetworkClock()
    if name in ON_A_NETWORK:
        clock.install()
    code = importlib.import_module(f"wirbel.stages.{name}").main(arguments)
    write_account(Path(account), clock)
    sys.exit(code)
