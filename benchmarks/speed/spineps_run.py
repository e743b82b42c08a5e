"""SPINEPS over a list of scans in one process of its own environment: `spineps_run.py ACCOUNT TASK`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from clock import NetworkClock, cpu_seconds, write_account

if __name__ == "__main__":
    account, task = sys.argv[1:]
    clock = NetworkClock()
    clock.install()
    from parity import spineps_side as parity_spineps

    spent: dict[str, float] = {}

    def timed(name: str, stage: str, log: list) -> None:
        """Wrap a function of SPINEPS so that its CPU seconds beside the networks are noted."""
        own = getattr(parity_spineps.seg_run, name)

        def wrapped(*args, **kwargs):
            before = cpu_seconds() - clock.cpu_s
            try:
                return own(*args, **kwargs)
            finally:
                spent[stage] = spent.get(stage, 0) + cpu_seconds() - clock.cpu_s - before

        setattr(parity_spineps.seg_run, name, wrapped)

    parity_spineps.timed = timed
    parity_spineps.main(task)
    write_account(Path(account), clock, stages=spent)
