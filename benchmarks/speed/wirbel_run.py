"""One job of Wirbel in a process of its own: `wirbel_run.py ACCOUNT STAGE [STAGE] [the stages' arguments]`."""

from __future__ import annotations

import sys
from pathlib import Path

from clock import NetworkClock, write_account

if __name__ == "__main__":
    account, *arguments = sys.argv[1:]
    clock = NetworkClock()
    if arguments[0] == "semantic":
        clock.install()
    from wirbel.stages.__main__ import main

    code = main(arguments)
    write_account(Path(account), clock)
    sys.exit(code)
