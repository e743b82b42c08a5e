"""The settings that there are, and what their values mean before Snakemake has read them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

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
