"""SPINEPS' masks with Wirbel's names, or with a labelling network's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from wirbel.core.geometry import Grid, Volume, upright
from wirbel.core.instances.consolidation import Predictions
from wirbel.core.labels import DISC_OFFSET, ENDPLATE_OFFSET, SACRUM, SET_ASIDE
from wirbel.core.levels.naming import Levels, name_levels
from wirbel.core.levels.relabelling import level_above, renamed
from wirbel.core.merging.both_maps import Merged
from wirbel.core.spineps.inference_settings import InstanceSettings, NumberSettings
from wirbel.core.spineps.merging import both_maps as merging
from wirbel.core.spineps.merging.numbering import FIRST


def merge(
    labels: Volume,
    predictions: Predictions,
    scan_grid: Grid,
    instances: InstanceSettings,
    numbers: NumberSettings,
    named: bool = True,
) -> Merged:
    """Return both maps on the scan's grid; raise ScanError if no vertebra is left.

    If `named` is False, the vertebrae are only counted, for `named_maps`. A network that segments
    C1 thereby identifies the topmost vertebra: counting starts there.
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
    """Return counted maps unchanged, with flags for what Wirbel finds unusual about them."""
    seen = _levels(counted)
    return replace(
        counted, levels=replace(counted.levels, flags=seen.flags, set_aside=seen.set_aside)
    )


def named_maps(
    found: Merged, numbers: NumberSettings, names: Mapping[int, int], as_there: bool
) -> tuple[Volume, Volume]:
    """Return the final maps of counted vertebrae.

    Parameters
    ----------
    found : Merged
        Counted maps.
    numbers : NumberSettings
        Settings of the semantic model.
    names : mapping of int to int
        Number -> label. Vertebrae without a label leave the map, but their subregions stay, as in
        SPINEPS.
    as_there : bool
        Follow SPINEPS in everything. Otherwise a disc above the topmost vertebra does not belong to
        the sacrum.
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
    """Name vertebrae numbered from `FIRST` downwards by what Wirbel sees of them."""
    data = counted.vertebra.data
    counters = np.where((data >= FIRST) & (data < SACRUM), data - (FIRST - 1), 0)
    flat = upright(counted.vertebra)
    return name_levels(flat.with_data(counters), flat.with_data(counted.subregion.data))


def _renamed(counted: Merged, first: int, names: tuple[int, ...]) -> Merged:
    """Replace the numbers from `first` on; structures above the topmost vertebra do not belong to the
    sacrum.
    """
    data = counted.vertebra.data.copy()
    for offset in (DISC_OFFSET, ENDPLATE_OFFSET):
        data[data == offset + SACRUM] = offset + first - 1
    data = renamed(data, dict(enumerate(names, start=first)), unnamed=SET_ASIDE)
    return replace(counted, vertebra=counted.vertebra.with_data(data))
