"""How many vertebrae and discs a scan shows, and how many of them it shows whole."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import DISC_OFFSET, LEVEL_NAMES
from wirbel.core.measures.coverage.border import is_cut
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps

SIDEWAYS = np.array([1.0, 0.0, 0.0])
"""World direction from left to right: a flank beyond the outer slices does not make a body less of a body."""


def cut_off(region: Region | None) -> bool:
    """Whether a structure is missing, or cut by the border above, below, in front or behind."""
    return region is None or is_cut(region, SIDEWAYS, flank_fraction=1.0)


def cut_labels(maps: LabelMaps) -> list[int]:
    """Return the labels of the vertebra map whose body or disc is missing or cut other than at a flank."""
    discs = [DISC_OFFSET + v for v in maps.discs]
    return [v for v in maps.numbered if cut_off(maps.body(v))] + [
        label for label in discs if cut_off(maps.whole(label))
    ]


def count_columns(maps: LabelMaps) -> dict:
    """Return the numbers of vertebrae and discs, whole ones and all in view, and the outermost levels."""
    vertebrae, discs = maps.vertebrae, maps.discs
    return {
        "vertebrae_found": sum(not cut_off(maps.body(v)) for v in vertebrae),
        "vertebrae_in_view": len(vertebrae),
        "discs_found": sum(not cut_off(maps.whole(DISC_OFFSET + v)) for v in discs),
        "discs_in_view": len(discs),
        "first_level": LEVEL_NAMES[vertebrae[0]] if vertebrae else None,
        "last_level": LEVEL_NAMES[vertebrae[-1]] if vertebrae else None,
    }
