"""SPINEPS' masks with Wirbel's names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wirbel.core.consolidation import Predictions
from wirbel.core.geometry import Grid, Volume, upright
from wirbel.core.labels import DISC_OFFSET, ENDPLATE_OFFSET, SACRUM
from wirbel.core.levels import Levels, name_levels
from wirbel.core.merging import Merged
from wirbel.core.relabelling import placeholders, renamed
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

    Without `named` the vertebrae are numbered by `placeholders`. Networks that show C1 say by that what the topmost
    vertebra is: their vertebrae are counted from there.
    """
    found = merging.merge(labels, predictions, scan_grid, instances, numbers)
    if numbers.first == FIRST:
        levels = _levels(found)
        found = replace(found, levels=levels)
        names = levels.labels if named else placeholders(len(levels.labels))
        return _renamed(found, FIRST, names)
    if named:
        return found
    return _renamed(found, numbers.first, placeholders(len(found.levels.labels)))


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
    data = renamed(data, dict(enumerate(names, start=first)))
    return replace(counted, vertebra=counted.vertebra.with_data(data))
