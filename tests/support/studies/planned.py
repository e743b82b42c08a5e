"""Stages run as the workflow runs them: settings become a plan, and a stage gets the plan and a batch."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import yaml

from wirbel.manifests.records import read_records, write_records
from wirbel.manifests.seals import seal_line, seal_of
from wirbel.models.errors import ModelError
from wirbel.plan.plan import Plan, Wishes, plan_file, write_plan
from wirbel.study.settings.planning import Planner
from wirbel.study.settings.run_settings import checked_settings

CONFIG = Path(__file__).parents[3] / "config"
BUILTIN = {"semantic": "builtin", "instance": "builtin"}


def plan_of(out: Path, models: Mapping[str, Path | str], **settings: object) -> Plan:
    """Write and return the plan of a run with these models and settings; raises ModelError."""
    config = yaml.safe_load((CONFIG / "config.yaml").read_text())
    named = {kind: str(name) for kind, name in models.items()}
    config |= {"output_dir": str(out), "bids_dir": str(out.parent / "in"), "models": named}
    chosen = checked_settings(config | settings, CONFIG / "schemas" / "config.schema.json")
    plan = Planner(chosen).plan(Wishes())
    write_plan(out, plan)
    return plan


def run(
    stage: ModuleType,
    out: Path,
    models: Mapping[str, Path | str],
    *more: str,
    batch: str = "b00001",
    **settings: object,
) -> int:
    """Plan, and run a module of wirbel.stages over a batch; return the exit code of what stopped first."""
    try:
        plan_of(out, models, **settings)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    return stage.main(["--plan", str(plan_file(out)), "--batch", batch, *more])


def seal_manifests(out: Path, plan: Plan) -> None:
    """Seal manifests that a test wrote by hand, as if the plan's stages had made them."""
    for stage in plan.stages:
        for path in (out / "work" / stage.stage).glob("b?????.tsv"):
            records = read_records(path).values()
            write_records(path, records, seal_line(seal_of(stage, "", records)))
