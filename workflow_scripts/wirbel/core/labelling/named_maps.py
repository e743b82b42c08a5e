"""Turn the labelling network's answers into the final maps with named levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.labelling.level_cutouts import axis_by_dens
from wirbel.core.labelling.level_evidence import Heads
from wirbel.core.labelling.level_path import name_by_heads
from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.levels.naming import Levels
from wirbel.core.levels.relabelling import renamed
from wirbel.core.merging.map_types import CountedMaps, FinalMaps

Finish = Callable[[Mapping[int, int]], tuple[Volume, Volume]]
"""Number -> label, to the final maps."""

METHOD = "labelling"
DISAGREES = "counting_disagrees"
NO_SEQUENCE = "no_sequence"


def name_maps(
    counted: CountedMaps,
    asked: list[int],
    heads: Heads,
    with_c1: bool = False,
    finish: Finish | None = None,
) -> FinalMaps:
    """Return both maps with named vertebrae, and how they were named.

    The names are the network's or, if no sequence of levels fits its vertebrae, those of counting.

    Parameters
    ----------
    counted : CountedMaps
        Maps on one grid; vertebrae numbered from the top down.
    asked : list of int
        The vertebrae that have a body.
    heads : mapping of str to ndarray
        The network's answers about them.
    with_c1 : bool
        The maps may show C1: then a dens identifies C2, and a vertebra without a body above C2 is
        C1.
    finish : callable, optional
        Renames the vertebrae in the maps. Default: `renamed_maps`.
    """
    levels, by_counting = (
        counted.levels,
        dict(zip(counted.numbers, counted.levels.labels, strict=True)),
    )
    known = _known(counted, asked) if with_c1 else {}
    labels, sure = name_by_heads(heads, with_c1, known) if asked else ((), 0.0)
    if not any(labels):
        names, levels = by_counting, replace(levels, flags=_with(levels, NO_SEQUENCE))
    else:
        names = dict(zip(asked, labels, strict=True))
        atlas = _atlas(counted.vertebra, names) if with_c1 else {}
        names, labels = {**atlas, **names}, (*atlas.values(), *labels)
        differs = any(by_counting.get(number) != label for number, label in names.items())
        flags = _with(levels, DISAGREES) if differs else levels.flags
        levels = Levels(labels, sure, METHOD, levels.agree, flags)
    finish = finish or partial(renamed_maps, counted.subregion, counted.vertebra)
    return FinalMaps(*finish(names), levels)


def renamed_maps(
    subregion: Volume, vertebra: Volume, names: Mapping[int, int]
) -> tuple[Volume, Volume]:
    """Return both maps with new labels, discs and endplates included; vertebrae without a name leave
    both.
    """
    data = renamed(vertebra.data, names)
    kept = np.where((vertebra.data > 0) & (data == 0), 0, subregion.data)
    return subregion.with_data(kept.astype(np.uint8)), vertebra.with_data(data)


def _known(counted: CountedMaps, asked: list[int]) -> dict[int, str]:
    """Return row in `asked` -> level of the vertebra with a dens, and of the one above it."""
    axis = axis_by_dens(counted.vertebra, counted.subregion)
    levels = {} if axis is None else {axis: "C2", axis - 1: "C1"}
    return {row: levels[number] for row, number in enumerate(asked) if number in levels}


def _atlas(vertebra: Volume, names: Mapping[int, int]) -> dict[int, int]:
    """Return the name of the topmost vertebra if it has none, the network found C2, and nothing is C1
    yet.
    """
    top = int(vertebra.data[vertebra.data > 0].min())
    atlas, axis = LEVEL_LABELS["C1"], LEVEL_LABELS["C2"]
    named = set(names.values())
    return {top: atlas} if top not in names and atlas not in named and axis in named else {}


def _with(levels: Levels, flag: str) -> tuple[str, ...]:
    return tuple(sorted({*levels.flags, flag}))
