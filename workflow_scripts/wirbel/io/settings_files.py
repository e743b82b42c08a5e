"""Settings files of single commands: YAML with known keys, refused in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import yaml


class SettingsFileError(ValueError):
    """The settings cannot be used; the text says what was expected and what was found."""


def read_settings_file(path: Path, example: str) -> Any:
    """Return the decoded content of a settings file; `example` is one that can be copied.

    Raises
    ------
    SettingsFileError
        If there is no such file, or it is not YAML.
    """
    if not path.is_file():
        raise SettingsFileError(
            f"{path}: expected a file with settings, found nothing; {example} is an example"
        )
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise SettingsFileError(f"{path}: not a YAML file: {text}") from None


def checked_section(content: Any, kind: type, where: str) -> dict[str, Any]:
    """Return the values of a section for the dataclass `kind`; raise SettingsFileError for unknown and missing keys."""
    known = {f.name: f for f in fields(kind)}
    needed = [
        name for name, f in known.items() if f.default is MISSING and f.default_factory is MISSING
    ]
    found = content if isinstance(content, Mapping) else {}
    unknown = [str(key) for key in found if key not in known]
    missing = [name for name in needed if not found.get(name)]
    if unknown or missing:
        raise SettingsFileError(
            f"{where}: expected keys {', '.join(known)}; unknown: {', '.join(unknown) or 'none'}, "
            f"missing: {', '.join(missing) or 'none'}"
        )
    return {name: value for name, value in found.items() if value is not None}
