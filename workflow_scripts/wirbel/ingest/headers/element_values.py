"""Values of DICOM elements as plain types, whatever stands in them; what cannot be read is missing."""

from __future__ import annotations

import math
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

LONGEST_TEXT = 1024


def text(dataset: Dataset, name: str) -> str:
    """Return an element as text; empty if it is missing."""
    value = _value(dataset, name)
    return "" if value is None else str(value).strip("\0 ")[:LONGEST_TEXT]


def texts(dataset: Dataset, name: str) -> tuple[str, ...]:
    """Return the values of an element as texts."""
    return tuple(str(one).strip("\0 ") for one in _values(dataset, name))


def number(dataset: Dataset, name: str) -> float | None:
    """Return the first value of an element as a finite number."""
    found = floats(dataset, name)
    return found[0] if found else None


def integer(dataset: Dataset, name: str) -> int | None:
    """Return the first value of an element as a whole number."""
    found = number(dataset, name)
    return int(found) if found is not None and abs(found) < 2**31 else None


def floats(dataset: Dataset, name: str) -> tuple[float, ...]:
    """Return the values of an element as numbers; empty if any of them is none."""
    try:
        found = tuple(float(one) for one in _values(dataset, name))
    except (TypeError, ValueError, OverflowError):
        return ()
    return found if all(map(math.isfinite, found)) else ()


def sequence(dataset: Dataset, name: str) -> list[Dataset]:
    """Return the items of a sequence."""
    return [one for one in _values(dataset, name) if isinstance(one, Dataset)]


def _values(dataset: Dataset, name: str) -> list[Any]:
    value = _value(dataset, name)
    if value is None or value == "":
        return []
    many = not isinstance(value, str | bytes) and hasattr(value, "__iter__")
    return list(value) if many and not isinstance(value, Dataset) else [value]


def _value(dataset: Dataset, name: str) -> Any:
    try:
        tag = tag_for_keyword(name)
        return dataset[tag].value if tag is not None and tag in dataset else None
    except Exception:  # pydicom converts a value when it is asked for, and fails in many ways
        return None
