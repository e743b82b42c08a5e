"""New numbers for the vertebrae of a vertebra map, their discs and endplates with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wirbel.core.labels import DISC_OFFSET, ENDPLATE_OFFSET, LEVEL_LABELS, SACRUM, T13

AXIS, EXTRA = LEVEL_LABELS["C2"], LEVEL_LABELS["L6"]


def placeholders(count: int) -> tuple[int, ...]:
    """Return numbers for vertebrae that have no names yet, from the top down: all fit, up to 24.

    The number above the first stays free, for the disc above the topmost vertebra, as long as there is room.
    """
    first = AXIS + 1 if count <= EXTRA - AXIS else AXIS
    return tuple(n if n <= EXTRA else 0 for n in range(first, first + count))


def renamed(vertebra: np.ndarray, names: Mapping[int, int], unnamed: int = 0) -> np.ndarray:
    """Return the map (uint8) with vertebra `old` as `names[old]`; those without a name become `unnamed`.

    Discs and endplates follow their vertebra, those above the topmost one become the level above it (0 where that
    would be C1). Sacral numbers stay. Where vertebrae without a name stay, their discs and endplates follow the
    next named vertebra above.
    """
    lookup = np.zeros(256, np.uint8)
    lookup[_family(SACRUM)] = _family(SACRUM)
    pairs = {old: new for old, new in names.items() if new}
    for old, new in pairs.items():
        lookup[_family(old)] = _family(new)
    for old in (old for old in sorted(names) if unnamed and not names[old]):
        above = max((other for other in pairs if other < old), default=0)
        lookup[old] = unnamed
        lookup[_family(old)[1:]] = lookup[_family(above)[1:]] if above else 0
    top = min(pairs, default=0)
    if top > 1 and level_above(pairs[top]):
        lookup[_family(top - 1)[1:]] = _family(level_above(pairs[top]))[1:]
    return lookup[vertebra]


def _family(label: int) -> list[int]:
    return [label, DISC_OFFSET + label, ENDPLATE_OFFSET + label]


def level_above(label: int) -> int:
    """Return the level above one, 0 where that is not C2 or below."""
    usual = LEVEL_LABELS["T12"] if label == T13 else label - 1
    return usual if usual >= AXIS else 0
