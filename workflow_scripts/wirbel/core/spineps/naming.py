"""SPINEPS' masks with Wirbel's names, or with those of a labelling network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from wirbel.core.consolidation import Predictions
from wirbel.core.geometry import Grid, Volume, upright
from wirbel.core.labels import DISC_OFFSET, ENDPLATE_OFFSET, SACRUM, SET_ASIDE
from wirbel.core.levels import Levels, name_levels
from wirbel.core.merging import Merged
from wirbel.core.relabelling import level_above, renamed
from wirbel.core.spineps import merging
from wirbel.core.spineps.numbering import FIRST
from wirbel.core.spineps.settings import InstanceSettings, NumberSettings


def merge(
    labels: Volume,
    predictions: Predictions,
    scan_grid: Grid,
    instances: InstanceSettings,
    numbers: NumberSettings,
    named: bool = True,
) -> Merged:
    """Return both maps on the scan's grid. Raises ScanError where no vertebra is left.

    Without `named` the vertebrae are only counted, for `named_maps`. Networks that show C1 say by that what the
    topmost vertebra is: their vertebrae are counted from there.
    """
    found = merging.unnumbered(labels, predictions, scan_grid, instances, numbers)
    counted = merging.numbered(found, numbers)
    if numbers.first != FIRST:
        return counted if named else found
    levels = _levels(counted)
    if not named:
        return replace(found, levels=levels)
    return _renamed(replace(counted, levels=levels), FIRST, levels.labels)


def flagged(counted: Merged) -> Merged:
    """Return counted maps as they are, with what Wirbel finds unusual about them."""
    seen = _levels(counted)
    return replace(
        counted, levels=replace(counted.levels, flags=seen.flags, set_aside=seen.set_aside)
    )


def named_maps(
    found: Merged, numbers: NumberSettings, names: Mapping[int, int], as_there: bool
) -> tuple[Volume, Volume]:
    """Return the final maps of counted vertebrae, number -> label in `names`; without a label they leave their map.

    The subregions of a vertebra without a label stay, as in the other tool. Unless all is to be `as_there`, a
    disc above the topmost vertebra is not the sacrum's.
    """
    final = merging.numbered(found, numbers, names)
    data = final.vertebra.data
    if not as_there:
        top = next((names[number] for number in sorted(names) if names[number]), 0)
        above = level_above(top)
        for offset in (DISC_OFFSET, ENDPLATE_OFFSET):
            data[data == offset + SACRUM] = offset + above if above else 0
    return final.subregion, final.vertebra


def _levels(counted: Merged) -> Levels:
    """Name vertebrae that are numbered from `FIRST` downwards by what Wirbel sees of them."""
    data = counted.vertebra.data
    counters = np.where((data >= FIRST) & (data < SACRUM), data - (FIRST - 1), 0)
    flat = upright(counted.vertebra)
    return name_levels(flat.with_data(counters), flat.with_data(counted.subregion.data))


def _renamed(counted: Merged, first: int, names: tuple[int, ...]) -> Merged:
    """Replace the numbers from `first` on; what lies above the topmost vertebra is not the sacrum's."""
    data = counted.vertebra.data.copy()
    for offset in (DISC_OFFSET, ENDPLATE_OFFSET):
        data[data == offset + SACRUM] = offset + first - 1
    data = renamed(data, dict(enumerate(names, start=first)), unnamed=SET_ASIDE)
    return replace(counted, vertebra=counted.vertebra.with_data(data))
