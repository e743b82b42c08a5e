"""Check a model folder's JSON files against `config/schemas/model_folder.schema.json`.

The schema bounds everything that decides an allocation or a loop. `plans` and `inference_config`
check fields against each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from wirbel.io.installation import WORKFLOW
from wirbel.models.errors import ModelError
from wirbel.models.folders.wording import short, short_place

SCHEMA_FILE = WORKFLOW / "config" / "schemas" / "model_folder.schema.json"
MOST_VOXELS = 1 << 25
"""Of a patch or cut-out; the schema bounds only its edges. nnU-Net's largest patches have half as
many.
"""
MOST_VALUES = 1 << 31
"""Channels times voxels of one layer; nnU-Net's largest networks have a quarter."""
SMALLEST_VOXEL_MM3 = 0.05
"""A spine of 260 x 700 x 60 mm has 200 million such voxels; no published model comes near."""
REMEDY = "correct it, or copy or fetch the model again"


def check_content(content: Any, part: str, source: str, place: Iterable[str] = ()) -> None:
    """Raise ModelError at the first place of `content` that the schema's `part` does not allow.

    Parameters
    ----------
    content : object
        Decoded JSON.
    part : str
        Name of the definition in the schema.
    source : str
        The file, for messages.
    place : iterable of str
        The fields above `content`, for messages.
    """
    error = next(_validator(part).iter_errors(content), None)
    if error is not None:
        raise refusal(source, [*place, *error.absolute_path], _sentence(error, part))


def refusal(source: str, place: Iterable[str | int], sentence: str) -> ModelError:
    """Return the error for a field; `place` has the names and numbers that lead to it."""
    name = ""
    for step in place:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    where = f"{source}: field {short_place(name)}" if name else source
    return ModelError(f"{where}: {sentence}; {REMEDY}")


def _sentence(error: Any, part: str) -> str:
    """Return what was expected and what was found."""
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        unknown = next(name for name in error.instance if name not in known)
        return f"unknown field {short(unknown)}; known are {', '.join(known)}"
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        described = _resolved(error.schema["properties"][missing]).get("description")
        return f"there is no field {missing!r}: expected {described}"
    return f"expected {_expected(error, part)}, found {short(error.instance)}"


def _expected(error: Any, part: str) -> str:
    """Return the description nearest to the violated rule."""
    node: Any = _schema()["$defs"][part]
    found = ""
    for step in error.absolute_schema_path:
        node = _resolved(node)
        if isinstance(node, dict):
            found = node.get("description", found)
        node = node[step]
    return found


def _resolved(node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        node = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
    return node


@cache
def _schema() -> dict[str, Any]:
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


@cache
def _validator(part: str):
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    kinds = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
    known = extend(Draft202012Validator, {"anyOf": _any_of}, type_checker=kinds)
    return known({"$ref": f"#/$defs/{part}", "$defs": _schema()["$defs"]})


def _is_integer(checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)  # 1.0 is not a number of folds


def _any_of(validator: Any, branches: list, instance: Any, schema: dict):
    """Like jsonschema's own check, but stop each branch at its first error, because a list may have
    millions.
    """
    from jsonschema import ValidationError

    if not any(validator.evolve(schema=branch).is_valid(instance) for branch in branches):
        yield ValidationError("no branch fits")
