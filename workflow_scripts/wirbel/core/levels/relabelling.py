"""Renumber the vertebrae of a vertebra map together with their discs and endplates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wirbel.core.labels import DISC_OFFSET, ENDPLATE_OFFSET, LEVEL_LABELS, SACRUM, T13

AXIS, EXTRA = LEVEL_LABELS["C2"], LEVEL_LABELS["L6"]


def placeholders(count: int) -> tuple[int, ...]:
    """Return numbers for vertebrae without names, from the top down; up to 24 fit, the rest get 0.

    The number above the first stays free as long as possible, for the disc above the topmost
    vertebra.

    Examples
    --------
    >>> placeholders(3)
    (3, 4, 5)
    """
    first = AXIS + 1 if count <= EXTRA - AXIS else AXIS
    return tuple(n if n <= EXTRA else 0 for n in range(first, first + count))


def renamed(vertebra: np.ndarray, names: Mapping[int, int], unnamed: int = 0) -> np.ndarray:
    """Return the map with every vertebra `old` as `names[old]`.

    Discs and endplates follow their vertebra. Those above the topmost vertebra get the level above
    it (0 if that would be C1). Labels of the sacrum stay. Discs and endplates of a vertebra without
    a name follow the next named vertebra above.

    Parameters
    ----------
    vertebra : ndarray of uint8, shape (i, j, k)
        Vertebra map.
    names : mapping of int to int
        Old -> new label; 0 means no name.
    unnamed : int
        Label for vertebrae without a name. Default: background.

    Returns
    -------
    ndarray of uint8, shape (i, j, k)

    Examples
    --------
    >>> renamed(np.array([0, 1, 101, 2, 26], np.uint8), {1: 23, 2: 24}).tolist()
    [0, 23, 123, 24, 26]
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
    """Return the level above another one, or 0 above C2.

    Examples
    --------
    >>> level_above(20), level_above(2)
    (19, 0)
    """
    usual = LEVEL_LABELS["T12"] if label == T13 else label - 1
    return usual if usual >= AXIS else 0
