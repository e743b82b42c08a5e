"""Move all level names of a vertebra map along the spine, as a reader corrected them."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import LEVEL_LABELS, LEVEL_NAMES, SACRUM, T13
from wirbel.core.levels.relabelling import renamed

USUAL = tuple(v for v in LEVEL_NAMES if v not in (T13, SACRUM))
"""C1 to L6 from the top down: names are moved along these."""


class ShiftError(ValueError):
    """The names cannot be moved so far: they would leave C1 to L6."""


def shifted(vertebra: np.ndarray, shift: int) -> np.ndarray:
    """Return the map with all names moved by `shift` levels down the spine (up, if negative).

    Discs and endplates follow their vertebra, the sacrum keeps its label. A T13 counts as a place of its own: what is
    below it moves on past it. Gaps between names stay.

    Parameters
    ----------
    vertebra : ndarray of uint8, shape (i, j, k)
    shift : int

    Raises
    ------
    ShiftError
        When a name would lie above C1 or below L6.

    Examples
    --------
    >>> shifted(np.array([0, 20, 120, 21, 26], np.uint8), 1).tolist()
    [0, 21, 121, 22, 26]
    """
    present = [int(v) for v in np.unique(vertebra) if v in LEVEL_NAMES and v != SACRUM]
    return renamed(vertebra, moved_names(present, shift))


def place_of(label: int) -> int:
    """Return the place of a level in the usual spine, from C1 down; T13 shares that of L1.

    Examples
    --------
    >>> place_of(20) - place_of(19), place_of(T13) - place_of(19)
    (1, 1)
    """
    return USUAL.index(label) if label != T13 else USUAL.index(LEVEL_LABELS["L1"])


def moved_names(present: list[int], shift: int) -> dict[int, int]:
    """Return old -> new label of the vertebrae present; raises ShiftError as `shifted` does."""
    order = list(USUAL)
    if T13 in present:
        order.insert(order.index(LEVEL_LABELS["T12"]) + 1, T13)
    places = {label: order.index(label) + shift for label in present}
    if any(not 0 <= place < len(USUAL) for place in places.values()):
        first, last = (LEVEL_NAMES[f(present, key=order.index)] for f in (min, max))
        raise ShiftError(f"names from {first} to {last} cannot be moved by {shift} levels")
    return {label: USUAL[place] for label, place in places.items()}
