"""What the JSON files of a model folder may hold: `config/schemas/model_folder.schema.json`, and nothing else.

The schema bounds whatever decides an allocation or a loop; what one field says about another is in `plans`
and `inference_config`.
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
"""Of a patch or a cut-out, which the schema bounds by its edges alone; nnU-Net's largest patches hold half as many."""
MOST_VALUES = 1 << 31
"""Of one layer of a network: channels times voxels; nnU-Net's largest networks have a quarter of it."""
SMALLEST_VOXEL_MM3 = 0.05
"""A spine of 260 x 700 x 60 mm has 200 million of them; no published model comes near."""
REMEDY = "correct it, or copy or fetch the model again"


def check_content(content: Any, part: str, source: str, place: Iterable[str] = ()) -> None:
    """Raise ModelError at the first place of `content` that the schema's `part` does not allow.

    `source` names the file and `place` the fields above `content`.
    """
    error = next(_validator(part).iter_errors(content), None)
    if error is not None:
        raise refusal(source, [*place, *error.absolute_path], _sentence(error, part))


def refusal(source: str, place: Iterable[str | int], sentence: str) -> ModelError:
    """Return the error for a field; `place` holds the names and numbers that lead to it."""
    name = ""
    for step in place:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    where = f"{source}: field {short_place(name)}" if name else source
    return ModelError(f"{where}: {sentence}; {REMEDY}")


def _sentence(error: Any, part: str) -> str:
    """Return what was expected and what came."""
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
    """Return the description nearest to what was violated."""
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
    return isinstance(value, int) and not isinstance(value, bool)  # 1.0 is no number of folds


def _any_of(validator: Any, branches: list, instance: Any, schema: dict):
    """As jsonschema's own, but each branch stops at its first error: a list may hold millions."""
    from jsonschema import ValidationError

    if not any(validator.evolve(schema=branch).is_valid(instance) for branch in branches):
        yield ValidationError("no branch fits")
