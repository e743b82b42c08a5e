"""`work/plan.json`: the stages of a run in order, each with everything that decides its results.

The main process writes it, jobs read it. Older plans stay in `work/plans/` under their
fingerprints, so that the settings behind a row of a table can be looked up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from wirbel.errors import InfrastructureError
from wirbel.io.atomic import sweep_temporaries, write_text_if_changed
from wirbel.plan.stage_plan import FINGERPRINT_DIGITS, StagePlan, digest_of

FORMAT = 1
INGEST = "ingest"
"""The stage that converts DICOM, where there is one."""


@dataclass(frozen=True)
class Wishes:
    """What this run was asked to do; not part of any fingerprint.

    The main process decides by it which batches run, and their jobs which scans.
    """

    retry_failed: str = "false"
    recompute: tuple[str, ...] = ()
    max_failed_fraction: float = 0.5
    mixed_settings: bool = False

    def try_again(self, *reasons: str) -> bool:
        """Return True if `retry_failed` selects one of the reasons for which scans failed."""
        if self.retry_failed == "true":
            return bool(reasons)
        return not set(reasons).isdisjoint(self.retry_failed.split(","))

    def compute_again(self, scan_id: str) -> bool:
        """Return True if `recompute` names the scan or its participant, with or without `sub-`."""
        names = (scan_id, scan_id.split("_")[0])
        return any(n in self.recompute or n.removeprefix("sub-") in self.recompute for n in names)


@dataclass(frozen=True)
class Plan:
    """The stages of a run.

    Attributes
    ----------
    stages : tuple of StagePlan
        Stages that go scan by scan, in order.
    tables : mapping
        What is made once from all scans, by name.
    made_by : mapping
        The version of the software that made the plan. It decides nothing, and neither do the
        places of data set and networks.
    """

    stages: tuple[StagePlan, ...]
    tables: Mapping[str, StagePlan] = field(default_factory=dict)
    wishes: Wishes = Wishes()
    made_by: Mapping[str, str] = field(default_factory=dict)
    models_dir: str = ""
    bids_dir: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the per-scan stages, in their order."""
        return tuple(stage.stage for stage in self.stages)

    @property
    def naming(self) -> str:
        """The stage that writes the final maps: the last one before the measurements."""
        return self.names[-2]

    @property
    def ingested(self) -> str:
        """The suffix of the scans that the first stage makes from DICOM; empty where it does not."""
        first = self.stages[0] if self.stages else None
        return first.settings.get("suffix", "") if first and first.stage == INGEST else ""

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits over everything that decides per-scan results."""
        return fingerprint_of(stage.fingerprint for stage in self.stages)

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Stage or table -> the fingerprint of its plan."""
        planned = (*self.stages, *self.tables.values())
        return {stage.stage: stage.fingerprint for stage in planned}

    def stage(self, name: str) -> StagePlan:
        """Return one stage's plan; raise InfrastructureError if the plan does not have it."""
        for planned in (*self.stages, *self.tables.values()):
            if planned.stage == name:
                return planned
        raise InfrastructureError(
            f"the plan has no stage {name!r}: expected one of {', '.join(self.names)}"
        )

    def accepts(self, made_by: str, stage: str) -> bool:
        """Return True if results of a stage count that were made under the fingerprint `made_by`."""
        return made_by == self.fingerprints[stage] or self.wishes.mixed_settings

    def before(self, name: str) -> str | None:
        """Return the previous stage; None for the first."""
        place = self.names.index(name)
        return self.names[place - 1] if place else None

    def after(self, name: str) -> tuple[StagePlan, ...]:
        """Return the later stages, up to the one that writes the final maps."""
        names = self.names
        return self.stages[names.index(name) + 1 : names.index(self.naming) + 1]

    def as_text(self) -> str:
        """Return the file's text."""
        content = {
            "format": FORMAT,
            "fingerprint": self.fingerprint,
            "made_by": dict(self.made_by),
            "models_dir": self.models_dir,
            "bids_dir": self.bids_dir,
            "wishes": asdict(self.wishes),
            "stages": [stage.as_json() for stage in self.stages],
            "tables": {name: stage.as_json() for name, stage in self.tables.items()},
        }
        return json.dumps(content, indent=2, allow_nan=False) + "\n"


def fingerprint_of(stages: Iterable[str]) -> str:
    """Return the fingerprint of a whole plan, from those of its per-scan stages in their order."""
    return digest_of(list(stages))[:FINGERPRINT_DIGITS]


def plan_file(output_dir: str | Path) -> Path:
    """Return the path of the current plan."""
    return Path(output_dir, "work", "plan.json")


def output_of(plan: Path) -> Path:
    """Return the absolute output folder of a plan file, wherever it was moved to."""
    return plan.absolute().parents[1]


def write_plan(output_dir: Path, plan: Plan) -> None:
    """Write the plan, and a copy under its fingerprint."""
    history = Path(output_dir, "work", "plans", f"{plan.fingerprint}.json")
    for path in (history, plan_file(output_dir)):
        sweep_temporaries(path.parent)
        write_text_if_changed(path, plan.as_text())


def read_plan(path: Path) -> Plan:
    """Read a plan; raise InfrastructureError, naming the file, if it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _from_json(content)
    except FileNotFoundError:
        raise InfrastructureError(
            f"{path} is missing: start the workflow, which writes it"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise InfrastructureError(
            f"{path} is not a plan of this version ({type(error).__name__}: {error}): "
            "start the workflow, which writes it again"
        ) from error


def engines_so_far(output_dir: str | Path) -> dict[str, str]:
    """Return stage -> what computed its network on a processor, by the last run's plan; empty where there is none."""
    try:
        stages = read_plan(plan_file(output_dir)).stages
    except (InfrastructureError, OSError):
        return {}
    return {stage.stage: str(stage.settings.get("engine", "torch")) for stage in stages}


def known_stages(output_dir: Path) -> dict[str, StagePlan]:
    """Return fingerprint -> stage for every plan that was ever carried out in an output folder."""
    found: dict[str, StagePlan] = {}
    for path in sorted(Path(output_dir, "work", "plans").glob("*.json")):
        try:
            plan = read_plan(path)
        except InfrastructureError:
            continue  # of another version: its stages are unknown here
        found |= {stage.fingerprint: stage for stage in (*plan.stages, *plan.tables.values())}
    return found


def _from_json(content: Mapping[str, Any]) -> Plan:
    wishes = {**content["wishes"], "recompute": tuple(content["wishes"]["recompute"])}
    return Plan(
        tuple(map(StagePlan.from_json, content["stages"])),
        {name: StagePlan.from_json(stage) for name, stage in content["tables"].items()},
        Wishes(**wishes),
        content["made_by"],
        content["models_dir"],
        content["bids_dir"],
    )
