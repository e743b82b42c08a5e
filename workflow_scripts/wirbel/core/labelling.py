"""From what the labelling network says to the final maps with their levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.level_path import Heads, name_by_heads
from wirbel.core.levels import Levels
from wirbel.core.relabelling import renamed

METHOD = "labelling"
DISAGREES = "counting_disagrees"
NO_SEQUENCE = "no_sequence"


def name_maps(
    subregion: Volume,
    vertebra: Volume,
    numbers: list[int],
    heads: Heads,
    counted: Levels,
    by_counting: Mapping[int, int],
) -> tuple[Volume, Volume, Levels]:
    """Return both maps with the vertebrae named, and how that was done.

    `vertebra` holds vertebrae numbered from the top down; `heads` the network's answers about those in `numbers`, which
    have a body; `counted` and `by_counting` how counting names them, and number -> label. The names are the
    network's, or, where no sequence of levels fits its vertebrae, those of counting.
    """
    labels, sure = name_by_heads(heads) if numbers else ((), 0.0)
    if not any(labels):
        names, levels = by_counting, replace(counted, flags=_with(counted, NO_SEQUENCE))
    else:
        names = dict(zip(numbers, labels, strict=True))
        differs = any(by_counting.get(number) != label for number, label in names.items())
        flags = _with(counted, DISAGREES) if differs else counted.flags
        levels = Levels(labels, sure, METHOD, counted.agree, flags)
    data = renamed(vertebra.data, names)
    kept = np.where((vertebra.data > 0) & (data == 0), 0, subregion.data)
    return subregion.with_data(kept.astype(np.uint8)), vertebra.with_data(data), levels


def _with(levels: Levels, flag: str) -> tuple[str, ...]:
    return tuple(sorted({*levels.flags, flag}))
