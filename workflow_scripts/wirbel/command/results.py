"""What a command needs to know of an output folder."""

from __future__ import annotations

from pathlib import Path

from wirbel.command.mistake import Mistake
from wirbel.errors import InfrastructureError
from wirbel.plan.plan import Plan, plan_file, read_plan


def plan_of(output_dir: str | Path) -> Plan:
    """Return the plan of the last run in an output folder; raises Mistake where there is none."""
    folder = Path(output_dir)
    if not folder.is_dir():
        raise Mistake(f"there is no folder {folder}: give the output folder of a run")
    if not plan_file(folder).is_file():
        raise Mistake(f"nothing was computed in {folder} yet: it has no work/plan.json")
    try:
        return read_plan(plan_file(folder))
    except InfrastructureError as error:
        raise Mistake(str(error)) from None
