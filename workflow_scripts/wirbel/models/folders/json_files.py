"""Read JSON files from others within bounds, and refuse what two readers could understand differently."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from wirbel.models.errors import ModelError
from wirbel.models.folders.wording import short

MOST_BYTES = 4 * 1024**2
"""Settings take some kilobytes; only a dataset.json that lists thousands of training cases comes near."""
MOST_LEVELS = 32


def read_json(path: Path) -> Any:
    """Return a decoded file of a model folder; raise ModelError if it is missing, damaged or out of
    bounds.
    """
    return decode_json(_text(path), str(path))


def decode_json(text: str, source: str) -> Any:
    """Return decoded JSON; `source` names the file in errors.

    Raises
    ------
    ModelError
        For invalid JSON, repeated fields, NaN or infinite numbers, or more than `MOST_LEVELS`
        levels.
    """
    try:
        content = json.loads(
            text, object_pairs_hook=_fields, parse_constant=_number, parse_float=_number
        )
    except RecursionError:
        raise _too_deep(source) from None
    except ValueError as error:
        raise ModelError(
            f"{source} is not valid JSON: {error}; correct it, or copy or fetch the model again"
        ) from None
    if _levels(content) > MOST_LEVELS:
        raise _too_deep(source)
    return content


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ModelError(f"{path} is not a file; copy or fetch the model again")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ModelError(
            f"{path.parent} is not a complete model folder: there is no {path.name} in it; "
            "give the folder that has it, or copy or fetch the model again"
        ) from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise ModelError(
            f"{path} has more than {MOST_BYTES} bytes; expected some kilobytes of settings; "
            "copy or fetch the model again"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelError(
            f"{path} is not valid JSON: it is not UTF-8 at byte {error.start}; copy or fetch the model again"
        ) from None


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"field {short(twice)} occurs twice")
    return found


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"expected finite numbers, found {short(text)}")
    return number


def _levels(content: Any) -> int:
    """Return the depth of nested lists and objects; stop soon after `MOST_LEVELS`."""
    level, inside = 0, [content]
    while inside and level <= MOST_LEVELS:
        level += 1
        inside = [
            item for value in inside if isinstance(value, list | dict) for item in _items(value)
        ]
    return level


def _items(value: list | dict) -> Any:
    return value.values() if isinstance(value, dict) else value


def _too_deep(source: str) -> ModelError:
    return ModelError(
        f"{source} nests lists or objects too deeply; expected at most {MOST_LEVELS} levels; "
        "copy or fetch the model again"
    )
