"""What a command needs to know of an output folder."""

from __future__ import annotations

from pathlib import Path

from wirbel.command.common.mistake import Mistake
from wirbel.plan.plan import Plan
from wirbel.study.watching import status


def plan_of(output_dir: str | Path) -> Plan:
    """Return the plan of the last run in an output folder; raises Mistake where there is none."""
    try:
        return status.plan_of(Path(output_dir))
    except status.NothingYet as error:
        raise Mistake(str(error)) from None
