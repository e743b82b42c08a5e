"""Read label schemes (`config/schemes/*.yaml`, or a file of the user's own)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from wirbel.core.label_schemes import (
    ANYTHING,
    BACKGROUND,
    Labels,
    LabelScheme,
    UnknownLabelError,
)
from wirbel.core.labels import (
    BODY_LABELS,
    DISC_OFFSET,
    LEVEL_LABELS,
    LEVELS_TOP_DOWN,
    SUBREGION_NAMES,
    T13,
    VERTEBRA_SUBREGIONS,
)
from wirbel.io.installation import WORKFLOW

__all__ = [
    "SchemeError",
    "UnknownLabelError",
    "read_scheme",
    "scheme_file",
    "scheme_from",
    "scheme_names",
    "scheme_source",
]

FOLDER = WORKFLOW / "config" / "schemes"
KEYS = ("title", "source", "structures", "numbers", "unlabelled", "vertebrae", "discs")
UPWARDS = "upwards"
COUNTED = tuple(v for v in LEVELS_TOP_DOWN if v not in (T13, LEVEL_LABELS["L6"]))
"""Vertebrae that a range of numbers counts, from the top down; T13 and L6 are listed by themselves."""
OURS: dict[str, Labels] = {
    "background": frozenset({BACKGROUND}),
    **{name: frozenset({label}) for label, name in SUBREGION_NAMES.items()},
    "vertebral_body": frozenset(BODY_LABELS),
    "vertebral_body_border": frozenset(BODY_LABELS),  # one class of the networks
    "whole_vertebra": frozenset(VERTEBRA_SUBREGIONS),
}
"""Names that a scheme may use -> our labels."""
ALSO = {"background": OURS["background"], "ignore": ANYTHING}
"""Names that need no entry under `structures`."""


class SchemeError(ValueError):
    """A label scheme cannot be used."""


def read_scheme(name: str | Path) -> LabelScheme:
    """Read a scheme by its name (`spider`) or from a file of the user's own.

    Raises
    ------
    SchemeError
        Says what was expected, what was found and what to do.
    """
    path = scheme_file(name)
    if not path.is_file():
        raise SchemeError(
            f"label scheme {name}: expected one of {', '.join(scheme_names())} or a YAML file, found no {path}"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SchemeError(f"label scheme {path}: not a YAML file: {error}") from None
    return scheme_from(content, path.stem)


def scheme_source(name: str | Path) -> str:
    """Return what a scheme says about where its label maps come from, to be cited; empty if it says nothing."""
    content = yaml.safe_load(scheme_file(name).read_text(encoding="utf-8"))
    return str(content.get("source") or "")


def scheme_file(name: str | Path) -> Path:
    """Return the file of a scheme, by its name or its own path; it need not exist."""
    own = Path(name).suffix in (".yaml", ".yml")
    return Path(name) if own else FOLDER / f"{name}.yaml"


def scheme_names() -> list[str]:
    """Return the names of the schemes that come with the software."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def scheme_from(content: Any, name: str) -> LabelScheme:
    """Check and convert a decoded scheme; raise SchemeError, naming `name`."""
    if not isinstance(content, Mapping):
        raise SchemeError(f"label scheme {name}: expected keys {', '.join(KEYS)}, found none")
    unknown = [str(key) for key in content if key not in KEYS]
    missing = [key for key in ("numbers", "unlabelled") if key not in content]
    if unknown or missing:
        raise SchemeError(
            f"label scheme {name}: expected keys {', '.join(KEYS)}; unknown: {', '.join(unknown) or 'none'}, "
            f"missing: {', '.join(missing) or 'none'}"
        )
    structures = {
        str(key): _labels(value, f"{name}, structures, {key}")
        for key, value in (content.get("structures") or {}).items()
    }
    numbers: dict[int, str] = {}
    for key, value in content["numbers"].items():
        for number in _range(key, name):
            if number in numbers:
                raise SchemeError(f"label scheme {name}: number {number} is listed twice")
            numbers[number] = str(value)
    numbers.setdefault(BACKGROUND, "unlabelled")
    structures.setdefault("unlabelled", _labels(content["unlabelled"], f"{name}, unlabelled"))
    for value in dict.fromkeys(numbers.values()):
        if value not in structures:
            structures[value] = _labels(value, f"{name}, numbers")
    vertebrae: dict[int, int] = {}
    for key, value in (content.get("vertebrae") or {}).items():
        vertebrae |= _levels(_range(key, name), str(value), name)
    for key, value in (content.get("discs") or {}).items():
        above = _levels(_range(key, name), str(value), name)
        vertebrae |= {number: DISC_OFFSET + label for number, label in above.items()}
    return LabelScheme(name, numbers, structures, vertebrae)


def _levels(numbers: range, value: str, name: str) -> dict[int, int]:
    """Return number -> vertebra label for `C1` (the first number, then downwards) or `L5 upwards`."""
    first, _, way = value.partition(" ")
    order = COUNTED[::-1] if way == UPWARDS else COUNTED
    if len(numbers) == 1 and first in LEVEL_LABELS and not way:
        return {numbers[0]: LEVEL_LABELS[first]}
    start = order.index(LEVEL_LABELS[first]) if LEVEL_LABELS.get(first) in order else len(order)
    if way not in ("", UPWARDS) or start + len(numbers) > len(order):
        raise SchemeError(
            f"label scheme {name}, vertebrae: expected a level and perhaps {UPWARDS!r}, as in "
            f"20-24: L1 or 1-5: L5 upwards, found {numbers[0]}-{numbers[-1]}: {value}"
        )
    return dict(zip(numbers, order[start:], strict=False))


def _labels(value: Any, where: str) -> Labels:
    """Return the labels of a name or a list of names."""
    names: Iterable[Any] = [value] if isinstance(value, str) else value or []
    known = OURS | ALSO
    for name in names:
        if name not in known:
            raise SchemeError(f"label scheme {where}: unknown {name!r}; known: {', '.join(known)}")
    return frozenset().union(*(known[name] for name in names))


def _range(key: Any, name: str) -> range:
    """Return the numbers that a key such as 7 or "1-25" stands for."""
    first, _, last = str(key).partition("-")
    if not first.isdigit() or not (last or first).isdigit() or int(last or first) < int(first):
        raise SchemeError(f"label scheme {name}: expected a number or a range as 1-25, found {key}")
    return range(int(first), int(last or first) + 1)
