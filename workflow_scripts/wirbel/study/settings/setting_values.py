"""Values of settings as people write them, turned into what they mean, with sentences a user can act on."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wirbel.errors import REASONS
from wirbel.io.foreign.people_files import read_name_list

PATHS = ("bids_dir", "output_dir", "models_dir", "container", "reference", "scans")
LISTS = ("participants", "recompute", "withdrawn")
"""Settings that hold names of participants."""
LIST_SUFFIXES = (".txt", ".tsv", ".csv", ".list")
VARIABLE = re.compile(r"\$(\{|[A-Za-z_])")
SLASHES = re.compile("//+")


class SettingsError(Exception):
    """A setting is unknown or wrong; says which, what was expected and what was found."""


def restore(config: dict[str, Any], argv: Sequence[str]) -> None:
    """Take back what became of texts that look like numbers: 001, 12E4."""
    told = dict(part.split("=", 1) for part in argv if "=" in part and not part.startswith("-"))
    for key in (*PATHS, *LISTS, "models"):
        value = config.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        text = told.get(key)
        if key in LISTS and text is not None:
            config[key] = text
        elif key in LISTS:
            raise SettingsError(
                f"setting {key!r}: {value} is a number, in which leading zeros are lost; write ['{value}'], "
                "in brackets and quotes"
            )
        elif text is not None and text != str(value):
            raise SettingsError(
                f"setting {key!r}: {text!r} is read as the number {value}; write ./{text}"
            )


def set_types(config: dict[str, Any], schema: dict[str, Any]) -> None:
    """Give values from the command line the type that the schema asks for, in place."""
    known_settings = schema.get("properties", {})
    for key, value in config.items():
        if key not in known_settings:  # a name that the user chose, such as a column of a table
            continue
        known = known_settings[key]
        config[key] = _typed(value, known.get("type", []))
        if isinstance(config[key], dict):
            set_types(config[key], known)


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
            f"setting {key!r}: {text!r} contains a variable that was not replaced: write the path itself"
        )
    if not path.isprintable() or path != path.strip():
        raise SettingsError(
            f"setting {key!r}: {text!r} holds a line end, a tab or another character that cannot be printed, "
            "or a blank at its end: give another path"
        )
    return SLASHES.sub("/", path).rstrip("/") or path[:1]


def reason_codes(text: str) -> str:
    """Return `true`, `false` or reason codes, separated by commas; raises SettingsError for what is none of these."""
    wanted = [part.strip().lower() for part in text.split(",") if part.strip()]
    for part in wanted:
        if part in REASONS or wanted in (["true"], ["false"]):
            continue
        near = difflib.get_close_matches(part, REASONS, 1)
        hint = (
            f"did you mean {near[0]!r}?"
            if near
            else f"expected true, false or some of {', '.join(REASONS)}"
        )
        raise SettingsError(f"setting 'retry_failed': {part!r} is no reason code: {hint}")
    return ",".join(wanted) or "false"


def file_list(key: str, value: list[str] | str) -> tuple[str, ...]:
    """Accept a list of files, or a comma-separated text."""
    names = value.split(",") if isinstance(value, str) else value
    return tuple(path_setting(key, name.strip()) for name in names if name.strip())


def name_list(key: str, value: list[str] | str) -> tuple[str, ...]:
    """Accept a list, a comma-separated text, or a file with one name per line or a column participant_id."""
    if isinstance(value, str):
        path = Path(os.path.expanduser(value))
        if path.is_file():
            value = _names_in(key, path)
        elif "," not in value and ("/" in value or path.suffix in LIST_SUFFIXES):
            raise SettingsError(
                f"setting {key!r}: there is no file {value!r}; expected names such as sub-01,sub-07, or a file "
                "with one name per line"
            )
        else:
            value = value.split(",")
    return tuple(dict.fromkeys(name.strip() for name in value if name.strip()))


def _names_in(key: str, path: Path) -> list[str]:
    try:
        names = read_name_list(path)
    except (OSError, ValueError) as error:
        raise SettingsError(f"setting {key!r}: {path} cannot be read: {error}") from None
    if not any(names):
        raise SettingsError(f"setting {key!r}: {path} holds no name")
    return names
