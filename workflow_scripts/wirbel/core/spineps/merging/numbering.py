"""Number vertebrae, discs and endplates as SPINEPS 2.1.3 does."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import (
    BODY_BORDER,
    DENS,
    DISC,
    DISC_OFFSET,
    ENDPLATE,
    ENDPLATE_OFFSET,
    METAL,
    SACRUM,
    T13,
)
from wirbel.core.spineps.components import centres_of, components
from wirbel.core.spineps.merging.endplates import lost_endplates

FIRST = 2
"""The topmost vertebra counts as C2, wherever the scan begins (`InferenceConfig.topmost_vertebra`)."""
LARGEST_VERTEBRA = 99


def number_rest(subregion: np.ndarray, vertebra: np.ndarray, sacrum_ids, metal_ids) -> np.ndarray:
    """Return a map of numbered vertebrae with numbers for everything else: discs and endplates follow
    the vertebra above.

    Endplate voxels that SPINEPS loses when it separates upper from lower endplates are removed from
    `subregion`, in place.

    Parameters
    ----------
    subregion : numpy.ndarray
        Map, axes (P, I, R); changed in place.
    vertebra : numpy.ndarray
        Numbered vertebrae, same shape.
    sacrum_ids, metal_ids : sequence of int
        Subregions that are the sacrum, or metal.

    Returns
    -------
    numpy.ndarray
        Same shape.
    """
    out = vertebra.copy()
    out[np.isin(subregion, sacrum_ids)] = SACRUM
    out[np.isin(subregion, metal_ids)] = METAL
    out[subregion == DENS] = FIRST
    middles = _middles(subregion, out)
    if middles:
        _number(out, subregion == DISC, DISC_OFFSET, middles, above_first=True)
        _number(out, subregion == ENDPLATE, ENDPLATE_OFFSET, middles, above_first=False)
        subregion[lost_endplates(subregion == ENDPLATE, out)] = 0
    return out


def from_the_top(vertebra: np.ndarray, first: int) -> np.ndarray:
    """Return instances (P, I, R) numbered from `first` downwards by their centres, as uint8."""
    centres = centres_of(vertebra.astype(np.uint16))
    order = sorted(centres, key=lambda number: centres[number][1])[: LARGEST_VERTEBRA - first]
    table = np.zeros(max([0, *centres]) + 1, np.uint8)
    table[order] = np.arange(first, first + len(order))
    return table[vertebra]


def _middles(subregion: np.ndarray, vertebra: np.ndarray) -> dict[int, float]:
    """Return the height of every vertebra's body; 0, the very top, for structures without one, such as
    the sacrum.
    """
    bodies = centres_of(np.where(subregion == BODY_BORDER, vertebra, 0).astype(np.uint16))
    present = [int(n) for n in np.unique(vertebra) if 0 < n <= SACRUM or n == T13]
    return {n: float(bodies[n][1]) if n in bodies else 0.0 for n in present}


def _number(out: np.ndarray, mask: np.ndarray, offset: int, middles, above_first: bool) -> None:
    """Number connected parts by the vertebra whose body is the next above their centre."""
    numbers = components(mask)
    table = np.zeros(int(numbers.max()) + 1, np.uint8)
    for number, centre in centres_of(numbers).items():
        higher = [height for height in middles.values() if height < centre[1]]
        highest = min(middles.values())
        if above_first and centre[1] < highest:
            label = min(middles) - 1
        else:
            wanted = max(higher, default=highest)
            label = next(n for n, height in middles.items() if height == wanted)
        table[number] = label + offset if label + offset != offset else 0
    out[mask] = table[numbers[mask]]
