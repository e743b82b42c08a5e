"""From the settings to the plan: one stage plan for each stage, and nothing that decides a result beside them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from wirbel import __version__
from wirbel.core.method.names import OWN
from wirbel.manifests.receipts import PICTURES
from wirbel.models.compatibility import compatibility_parameter, method_of
from wirbel.models.engine import engine_of, engine_parameter
from wirbel.models.provenance import provenance_entry
from wirbel.models.registry import Model
from wirbel.plan.chain import INTERMEDIATE, LABEL, LAST_READER, stages_of_run
from wirbel.plan.checks import DERIVED, FAILURE, LEFT_OUT, NOT_T2W, OF_HEADERS, OF_IMAGES, PEOPLE
from wirbel.plan.code.codehash import stage_code_hash
from wirbel.plan.networks import identified, planned_source
from wirbel.plan.plan import Plan, Wishes, engines_so_far
from wirbel.plan.stage_plan import PlannedModel, StagePlan
from wirbel.plan.stage_settings import OF_STAGES, NoSettings, as_json
from wirbel.study.settings.run_settings import Settings

TABLES = ("cohort", "contact_sheet", "report")
"""Stages that run once, on all scans."""
PER_BATCH = (PICTURES,)
"""Stages that run for each batch, but which no scan can fail at."""
LABELLING = "labelling"
NETWORKS = {
    "semantic": ("semantic",),
    "instance": ("instance",),
    "merge": ("semantic", "instance"),
    LABEL: (LABELLING,),
}
"""Stage -> the networks that its results depend on."""


class Planner:
    """Makes the plan; raises ModelError when a network cannot be had. `on_cluster`: other machines compute."""

    def __init__(self, settings: Settings, *, on_cluster: bool = False) -> None:
        self._settings = settings
        named = settings.models.items()
        self._models = {kind: identified(name, kind) for kind, name in named}
        self._sources = {kind: planned_source(name, kind) for kind, name in named}
        phases = ("semantic", "instance")
        self._method = {k: method_of(settings.compatibility, self._models[k]) for k in phases}
        before = engines_so_far(settings.output_dir)
        self._engine = {
            k: engine_of(
                settings.engine, self._method[k], earlier=before.get(k, ""), on_cluster=on_cluster
            )
            for k in phases
        }

    def plan(self, wishes: Wishes) -> Plan:
        """Return the plan of a run."""
        names = stages_of_run(LABELLING in self._models, self._settings.ingests)
        return Plan(
            stages=tuple(self._stage(name) for name in names),
            tables={name: StagePlan(name, stage_code_hash(name)) for name in (*TABLES, *PER_BATCH)},
            wishes=wishes,
            made_by=software(),
            models_dir=self._settings.models_dir,
            bids_dir=str(Path(self._settings.bids_dir).absolute()),
        )

    def _stage(self, name: str) -> StagePlan:
        kind, own = OF_STAGES.get(name, NoSettings), self._own_settings(name)
        named = [field.name for field in fields(kind) if field.name not in own]
        settings = kind(**{key: self._settings.checked[key] for key in named}, **own)
        models = self._planned(NETWORKS.get(name, ()))
        return StagePlan(name, stage_code_hash(name), as_json(settings), models, self._drops(name))

    def _own_settings(self, name: str) -> dict[str, Any]:
        """Return the settings of a stage that are not settings of the run under the same name."""
        own: dict[str, Callable] = {
            "ingest": self._ingest,
            "resample": self._resample,
            "semantic": lambda: self._network("semantic"),
            "instance": lambda: self._network("instance"),
            "merge": self._merge,
            LABEL: self._label,
            "features": lambda: {"apart": self._settings.source.apart},
        }
        return own[name]() if name in own else {}

    def _network(self, phase: str) -> dict[str, str]:
        return {"method": self._method[phase], "engine": self._engine[phase]}

    def _ingest(self) -> dict[str, Any]:
        levels = self._settings.levels
        asked = {code: levels[code] for code in (NOT_T2W, DERIVED, LEFT_OUT, PEOPLE)}
        return {"levels": asked, "apart": self._settings.source.apart}

    def _resample(self) -> dict[str, Any]:
        model, method = self._models["semantic"].config, self._method["semantic"]
        fixed_range = method == OWN or not model.is_tomography
        return {
            "axes": model.model_expected_orientation,
            "resolution": model.resolution_range,
            "bias_field": self._settings.n4 if fixed_range else False,
            "fixed_range": fixed_range,
            "method": method,
            "accepted": self._with(OF_IMAGES, refused=False),
            "refused": self._with(OF_HEADERS, refused=True),
        }

    def _with(self, codes: tuple[str, ...], *, refused: bool) -> tuple[str, ...]:
        """Return those of some checks that are failures, or not."""
        levels = self._settings.levels
        return tuple(code for code in codes if (levels[code] == FAILURE) == refused)

    def _merge(self) -> dict[str, Any]:
        return {
            "semantic": self._models["semantic"].config,
            "instance": self._models["instance"].config,
            "method": self._method["instance"],
            "naming_follows": LABELLING in self._models,
            "provenance": self._provenance("semantic", "instance"),
        }

    def _label(self) -> dict[str, Any]:
        return {
            "semantic": self._models["semantic"].config,
            "method": self._method["instance"],
            "provenance": self._provenance("semantic", "instance", LABELLING),
        }

    def _provenance(self, *kinds: str) -> dict[str, Any]:
        """Return the sidecars' account of networks and settings."""
        models = {kind: (self._settings.models[kind], self._models[kind]) for kind in kinds}
        return {
            **provenance_entry(models, self._settings.n4),
            **compatibility_parameter(*self._method.values()),
            **engine_parameter(*self._engine.values()),
        }

    def _planned(self, kinds: tuple[str, ...]) -> dict[str, PlannedModel]:
        return {k: PlannedModel(self._sources[k], self._models[k].sha256) for k in kinds}

    def _drops(self, name: str) -> tuple[str, ...]:
        """Return the stages whose results go when `name`, the last to read them, is done."""
        if self._settings.keep_intermediates:
            return ()
        return {LAST_READER: INTERMEDIATE, LABEL: (LAST_READER,)}.get(name, ())

    @property
    def models(self) -> dict[str, Model]:
        """The networks by kind."""
        return dict(self._models)


@cache
def software() -> dict[str, str]:
    """Return the version and, where the software is a git repository with git at hand, its commit."""
    root = Path(__file__).resolve().parents[4]
    line = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        asked = subprocess.run(line, capture_output=True, text=True, timeout=10)
        commit = asked.stdout.strip() if (root / ".git").exists() else ""
    except (OSError, subprocess.TimeoutExpired):
        commit = ""
    return {"version": __version__, "commit": commit}
