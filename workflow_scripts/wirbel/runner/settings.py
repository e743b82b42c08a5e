"""The run's settings: checked against the schema, with sentences a user can act on."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PHASES = ("semantic", "instance")


class SettingsError(Exception):
    """A setting is unknown or wrong; says which, what was expected and what was found."""


@dataclass(frozen=True)
class Settings:
    """The settings in the form that rules use."""

    bids_dir: str
    output_dir: str
    participants: tuple[str, ...]
    batch_size: int
    models: dict[str, str]
    models_dir: str
    allow_toy_weights: bool
    n4: bool
    compatibility: str
    keep_intermediates: bool
    retry_failed: str
    wait_seconds: float


def checked_settings(config: dict[str, Any], schema_file: Path) -> Settings:
    """Return the settings; raises SettingsError at the first unknown key or wrong value.

    Values from the command line (`n4=false`, `output_dir=2026`) get the type the schema asks for, in place.
    """
    from jsonschema import Draft202012Validator

    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    _set_types(config, schema)
    for error in Draft202012Validator(schema).iter_errors(config):
        raise SettingsError(_sentence(error))
    models = config["models"]
    return Settings(
        bids_dir=config["bids_dir"].rstrip("/"),
        output_dir=config["output_dir"].rstrip("/") or "/",
        participants=_participants(config["participants"]),
        batch_size=config["batch_size"],
        models=dict.fromkeys(PHASES, models) if isinstance(models, str) else models,
        models_dir=config["models_dir"],
        allow_toy_weights=config["allow_toy_weights"],
        n4=config["n4"],
        compatibility=config["compatibility"],
        keep_intermediates=config["keep_intermediates"],
        retry_failed=str(config["retry_failed"]).lower(),
        wait_seconds=config["wait_seconds"],
    )


def _set_types(config: dict[str, Any], schema: dict[str, Any]) -> None:
    for key, value in config.items():
        known = schema.get("properties", {}).get(key, {})
        config[key] = _typed(value, known.get("type", []))
        if isinstance(config[key], dict):
            _set_types(config[key], known)


def _typed(value: Any, types: str | list[str]) -> Any:
    """Return a command-line value as one of the schema's types, where that is plain."""
    if isinstance(value, str) and "string" not in types:
        import yaml

        return yaml.safe_load(value)
    if value is None and "string" in types:
        return ""  # `bids_dir=` on the command line
    if isinstance(value, int | float) and "string" in types and not isinstance(value, bool):
        return str(value)
    return value


def _participants(value: list[str] | str) -> tuple[str, ...]:
    """Accept a list, a comma-separated text, or a file with one name per line."""
    if isinstance(value, str):
        path = Path(value)
        text = path.read_text(encoding="utf-8") if path.is_file() else value
        value = text.replace(",", "\n").splitlines()
    return tuple(name.strip() for name in value if name.strip())


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
    described = error.schema.get("description", "")
    return f"setting {place!r}: {error.message}. {described}".strip()
