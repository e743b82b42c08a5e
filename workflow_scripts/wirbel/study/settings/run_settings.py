"""The run's settings: checked against the schema, with sentences a user can act on."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wirbel.plan.checks import levels_of
from wirbel.plan.series_rules import RuleError, rules_of, stations_of
from wirbel.study.settings.setting_values import (
    PATHS,
    SettingsError,
    file_list,
    name_list,
    path_setting,
    reason_codes,
    restore,
    set_types,
)
from wirbel.study.sources.source import ALL_T2W, Source
from wirbel.study.sources.source_settings import source_of

__all__ = ["Settings", "SettingsError", "checked_settings"]

PHASES = ("semantic", "instance")


@dataclass(frozen=True)
class Settings:
    """The settings in the form that rules use; `checked` has all of them, by key, as the file does."""

    bids_dir: str
    output_dir: str
    participants: tuple[str, ...]
    batch_size: int
    models: dict[str, str]
    models_dir: str
    allow_toy_weights: bool
    n4: bool | str
    compatibility: str
    engine: str
    keep_intermediates: bool
    retry_failed: str
    fail_on: str
    recompute: tuple[str, ...]
    reviews: tuple[str, ...]
    accept_changes: bool
    mixed_settings: bool
    max_failed_fraction: float
    wait_seconds: float
    source: Source = ALL_T2W
    checked: Mapping[str, Any] = field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()

    @property
    def levels(self) -> dict[str, str]:
        """Check -> whether it is a failure, a warning, or off (`wirbel.plan.checks`)."""
        return levels_of(self.checked.get("checks", {}), dicom=self.dicom)

    @property
    def dicom(self) -> bool:
        """Whether the scans are delivered as DICOM."""
        return self.source.dicom

    @property
    def ingests(self) -> bool:
        """Whether scans are made of what was delivered: from DICOM, or of stations."""
        return self.source.dicom or self.source.joined


def checked_settings(
    config: dict[str, Any], schema_file: Path, argv: Sequence[str] = ()
) -> Settings:
    """Return the settings; raises SettingsError at the first unknown key or wrong value.

    Values from the command line (`n4=false`, `output_dir=2026`) get the type the schema asks for, in place. Snakemake
    reads `participants=001` as the number 1: `argv`, the command line itself, has it as it was written.
    """
    from jsonschema import Draft202012Validator

    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    restore(config, argv)
    set_types(config, schema)
    for error in Draft202012Validator(schema).iter_errors(config):
        raise SettingsError(_sentence(error))
    for key in PATHS:
        config[key] = path_setting(key, config[key])
    source = source_of(config)
    _check_rules(config)
    if source.table and not config["bids_dir"]:
        folder = source.table if os.path.isdir(source.table) else os.path.dirname(source.table)
        config["bids_dir"] = folder or "."
    models = config["models"]
    models = dict.fromkeys(PHASES, models) if isinstance(models, str) else models
    return Settings(
        bids_dir=config["bids_dir"],
        output_dir=config["output_dir"],
        participants=name_list("participants", config["participants"]),
        batch_size=config["batch_size"],
        models={kind: path_setting("models", name) for kind, name in models.items()},
        models_dir=config["models_dir"],
        allow_toy_weights=config["allow_toy_weights"],
        n4=config["n4"],
        compatibility=config["compatibility"],
        engine=config["engine"],
        keep_intermediates=config["keep_intermediates"],
        retry_failed=reason_codes(str(config["retry_failed"])),
        fail_on=str(config["fail_on"]),
        recompute=name_list("recompute", config["recompute"]),
        reviews=file_list("reviews", config["reviews"]),
        accept_changes=config["accept_changes"],
        mixed_settings=config["mixed_settings"],
        max_failed_fraction=config["max_failed_fraction"],
        wait_seconds=config["wait_seconds"],
        source=source,
        checked=MappingProxyType(config),
        withdrawn=name_list("withdrawn", config["withdrawn"]),
    )


def _check_rules(config: Mapping[str, Any]) -> None:
    """Raise SettingsError where a rule for series or stations cannot be understood."""
    try:
        rules_of(config["series"])
        stations = stations_of(config["stations"], config["series"])
        for name, rule in stations.items():
            if bool(rule.name) == config["dicom"]:
                wanted = "description or another rule for DICOM series" if rule.name else "name"
                kind = "DICOM (dicom: true)" if config["dicom"] else "NIfTI files"
                told = f"expected {wanted}, because the scans are {kind}"
                raise RuleError(f"setting 'stations.{name}': {told}")
    except RuleError as error:
        raise SettingsError(str(error)) from None


def _sentence(error) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = next(key for key in error.instance if key not in known)
        near = difflib.get_close_matches(unknown, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return f"unknown setting {'.'.join(filter(None, [place, unknown]))!r}: {hint}"
    if error.validator == "pattern":
        return (
            f"setting {place!r}: {error.instance!r} contains braces, which Snakemake would replace"
        )
    if place.startswith("participants") and isinstance(error.instance, int | float):
        return (
            f"setting {place!r}: {error.instance} is a number, in which leading zeros are lost; write it in quotes, "
            f"as '{error.instance}'"
        )
    described = error.schema.get("description", "")
    return f"setting {place!r}: {error.message}. {described}".strip()
