"""The settings that there are, and what their values mean before Snakemake has read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from wirbel.command.common.mistake import Mistake
from wirbel.io.installation import WORKFLOW

SCHEMA_FILE = WORKFLOW / "config" / "schemas" / "config.schema.json"
DEFAULTS_FILE = WORKFLOW / "config" / "config.yaml"
TRUTH = {"True": True, "False": False}


@cache
def known_settings() -> tuple[str, ...]:
    """Return the names of all settings."""
    return tuple(json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))["properties"])


def value_of(text: str) -> Any:
    """Return what Snakemake makes of a value on the command line: a number, true or false, or YAML."""
    import yaml

    text = text.strip("\"'")
    if not text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    if text in TRUTH:
        return TRUTH[text]
    try:
        return yaml.load(text, yaml.loader.BaseLoader)
    except yaml.YAMLError:
        return text


def protected(text: str) -> str:
    """Return a text that must stay one, such as a path, so that `value_of` does not take it for YAML.

    Snakemake strips quotes from both ends of a value, so a tag and a comment stand there.
    """
    if value_of(text) == text or not isinstance(value_of(text), str | dict | list):
        return text
    return "!!str '" + text.replace("'", "''") + "' #"


def settings_in(path: Path) -> dict[str, Any]:
    """Return the settings in a file; raises Mistake naming it."""
    import yaml

    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise Mistake(f"configfile {path}: expected a file with settings, found {found}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Mistake(
            f"configfile {path} cannot be read as YAML: {' '.join(str(error).split())}"
        ) from None
    if not isinstance(content, Mapping):
        raise Mistake(f"configfile {path}: expected lines such as `batch_size: 16`")
    return dict(content)
