"""Describe the difference between two plans of a stage in the words of the settings."""

from __future__ import annotations

from collections.abc import Iterator

from wirbel.models.engine import ENTRY
from wirbel.plan.stage_plan import StagePlan

ENGINE = "setting engine changed"
WORDS = {
    "bias_field": "setting n4 changed",
    "normalise": "another model is set",
    "axes": "another model is set",
    "resolution": "another model is set",
    "semantic": "another model is set",
    "instance": "another model is set",
    "method": "setting compatibility changed",
    "engine": ENGINE,
    "naming_follows": "setting models changed",
}
"""What another value of a stage's setting means; other settings have the same name for users."""
PROVENANCE = "provenance"
"""The setting that repeats, for the sidecars, what other settings say."""


def differences(before: StagePlan | None, now: StagePlan) -> list[str]:
    """Return what changed; `before` is None if the earlier plan is unknown."""
    if before is None:
        return ["made by another version of the software"]
    found = dict.fromkeys(_differences(before, now))
    return list(found) or ["a setting changed"]


def _differences(before: StagePlan, now: StagePlan) -> Iterator[str]:
    if before.code != now.code:
        yield "the code changed"
    for kind in sorted(before.models.keys() | now.models.keys()):
        yield from _of_model(before.models.get(kind), now.models.get(kind))
    names = sorted(before.settings.keys() | now.settings.keys())
    for name in names:
        if name != PROVENANCE and before.settings.get(name) != now.settings.get(name):
            yield WORDS.get(name, f"setting {name} changed")
    if before.settings.get(PROVENANCE) != now.settings.get(PROVENANCE):
        yield from _of_provenance(before.settings[PROVENANCE], now.settings[PROVENANCE])


def _of_model(before, now) -> Iterator[str]:
    if before is None or now is None or before.source != now.source:
        yield "another model is set"
    elif before.sha256 != now.sha256:
        yield "the model's files changed"


def _of_provenance(before: dict, now: dict) -> Iterator[str]:
    """Yield what would change in the sidecars."""
    old, new = before.get("Models", {}), now.get("Models", {})
    for kind in sorted(old.keys() | new.keys()):
        if old.get(kind, {}).get("Name") != new.get(kind, {}).get("Name"):
            yield "another model is set"
        elif old.get(kind) != new.get(kind):
            yield "the model's files changed"
    if before.get("BiasFieldCorrection") != now.get("BiasFieldCorrection"):
        yield "setting n4 changed"
    if before.get("Compatibility") != now.get("Compatibility"):
        yield "setting compatibility changed"
    if before.get(ENTRY) != now.get(ENTRY):
        yield ENGINE
