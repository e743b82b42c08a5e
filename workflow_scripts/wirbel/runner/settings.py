"""The run's settings: checked against the schema, with sentences a user can act on."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wirbel.io.people_files import read_name_list

PHASES = ("semantic", "instance")
PATHS = ("bids_dir", "output_dir", "models_dir", "container", "reference")
LIST_SUFFIXES = (".txt", ".tsv", ".csv", ".list")
VARIABLE = re.compile(r"\$(\{|[A-Za-z_])")
SLASHES = re.compile("//+")


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
    recompute: tuple[str, ...]
    accept_changes: bool
    mixed_settings: bool
    max_failed_fraction: float
    wait_seconds: float


def checked_settings(
    config: dict[str, Any], schema_file: Path, argv: Sequence[str] = ()
) -> Settings:
    """Return the settings; raises SettingsError at the first unknown key or wrong value.

    Values from the command line (`n4=false`, `output_dir=2026`) get the type the schema asks for, in place. Snakemake
    reads `participants=001` as the number 1: `argv`, the command line itself, has it as it was written.
    """
    from jsonschema import Draft202012Validator

    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    _restore(config, argv)
    _set_types(config, schema)
    for error in Draft202012Validator(schema).iter_errors(config):
        raise SettingsError(_sentence(error))
    for key in PATHS:
        config[key] = path_setting(key, config[key])
    models = config["models"]
    models = dict.fromkeys(PHASES, models) if isinstance(models, str) else models
    return Settings(
        bids_dir=config["bids_dir"],
        output_dir=config["output_dir"],
        participants=_participants(config["participants"]),
        batch_size=config["batch_size"],
        models={kind: path_setting("models", name) for kind, name in models.items()},
        models_dir=config["models_dir"],
        allow_toy_weights=config["allow_toy_weights"],
        n4=config["n4"],
        compatibility=config["compatibility"],
        keep_intermediates=config["keep_intermediates"],
        retry_failed=str(config["retry_failed"]).lower(),
        recompute=_participants(config["recompute"]),
        accept_changes=config["accept_changes"],
        mixed_settings=config["mixed_settings"],
        max_failed_fraction=config["max_failed_fraction"],
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


def path_setting(key: str, text: str) -> str:
    """Return a path (or name) as it is meant: with `~` as the home folder, without superfluous slashes.

    A shell leaves `output_dir=~/out` as it is, and variables in a settings file too: folders of these names would be
    made. Raises SettingsError for what nobody means.
    """
    if "://" in text:
        return text  # an address, of a container
    path = os.path.expanduser(text)
    if path.startswith("~"):
        raise SettingsError(f"setting {key!r}: {text!r} names a home folder that does not exist")
    if VARIABLE.search(path) and not os.path.lexists(path):
        raise SettingsError(
            f"setting {key!r}: {text!r} holds a variable, which nobody has replaced: write the path itself"
        )
    if not path.isprintable() or path != path.strip():
        raise SettingsError(
            f"setting {key!r}: {text!r} holds a line end, a tab or another character that cannot be printed, "
            "or a blank at its end: give another path"
        )
    return SLASHES.sub("/", path).rstrip("/") or path[:1]


def _restore(config: dict[str, Any], argv: Sequence[str]) -> None:
    """Take back what became of texts that look like numbers: 001, 12E4."""
    told = dict(part.split("=", 1) for part in argv if "=" in part and not part.startswith("-"))
    for key in (*PATHS, "participants", "models"):
        value = config.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        text = told.get(key)
        if key == "participants" and text is not None:
            config[key] = text
        elif key == "participants":
            raise SettingsError(
                f"setting 'participants': {value} is a number, in which leading zeros are lost; write ['{value}'], "
                "in brackets and quotes"
            )
        elif text is not None and text != str(value):
            raise SettingsError(
                f"setting {key!r}: {text!r} is read as the number {value}; write ./{text}"
            )


def _participants(value: list[str] | str) -> tuple[str, ...]:
    """Accept a list, a comma-separated text, or a file with one name per line or a column participant_id."""
    if isinstance(value, str):
        path = Path(os.path.expanduser(value))
        if path.is_file():
            value = _names_in(path)
        elif "," not in value and ("/" in value or path.suffix in LIST_SUFFIXES):
            raise SettingsError(
                f"setting 'participants': there is no file {value!r}; expected names such as sub-01,sub-07, or a file "
                "with one name per line"
            )
        else:
            value = value.split(",")
    return tuple(dict.fromkeys(name.strip() for name in value if name.strip()))


def _names_in(path: Path) -> list[str]:
    try:
        names = read_name_list(path)
    except (OSError, ValueError) as error:
        raise SettingsError(f"setting 'participants': {path} cannot be read: {error}") from None
    if not any(names):
        raise SettingsError(f"setting 'participants': {path} holds no name")
    return names


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
