"""SPINEPS' masks with Wirbel's names, or with a labelling network's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from wirbel.core.geometry import Volume, upright
from wirbel.core.inference_config import InferenceConfig
from wirbel.core.instances.network_results import Found
from wirbel.core.labels import DISC_OFFSET, ENDPLATE_OFFSET, SACRUM, SET_ASIDE
from wirbel.core.levels.naming import Levels, name_levels
from wirbel.core.levels.relabelling import level_above, renamed
from wirbel.core.merging.map_types import CountedMaps, FinalMaps
from wirbel.core.spineps.merging import both_maps as merging
from wirbel.core.spineps.merging.numbering import FIRST


def merge(found: Found, semantic: InferenceConfig, instance: InferenceConfig) -> FinalMaps:
    """Return both maps on the scan's grid, named by Wirbel; raise ScanError if no vertebra is left.

    A network that segments C1 thereby identifies the topmost vertebra: counting starts there.
    """
    counted = merging.merge(found, semantic, instance)
    if semantic.topmost_vertebra != FIRST:
        return counted
    levels = _levels(counted)
    return _renamed(replace(counted, levels=levels), FIRST, levels.labels)


def merge_unnamed(
    found: Found, semantic: InferenceConfig, instance: InferenceConfig
) -> CountedMaps:
    """Return counted vertebrae, for `named_maps`, and how Wirbel would name them without a labelling network."""
    counted = merging.unnumbered(found, semantic, instance)
    first = semantic.topmost_vertebra
    if first != FIRST:
        return counted
    levels = _levels(merging.numbered(counted, semantic))
    return replace(counted, levels=levels, numbers=tuple(range(first, first + len(levels.labels))))


def flagged(counted: FinalMaps) -> FinalMaps:
    """Return counted maps unchanged, with flags for what Wirbel finds unusual about them."""
    seen = _levels(counted)
    return replace(
        counted, levels=replace(counted.levels, flags=seen.flags, set_aside=seen.set_aside)
    )


def named_maps(
    found: CountedMaps, semantic: InferenceConfig, names: Mapping[int, int]
) -> tuple[Volume, Volume]:
    """Return the final maps of counted vertebrae as SPINEPS makes them, but for discs and endplates above the topmost
    vertebra: they do not belong to the sacrum.

    Parameters
    ----------
    found : CountedMaps
        Counted maps.
    semantic : InferenceConfig
        Settings of the semantic model.
    names : mapping of int to int
        Number -> label. Vertebrae without a label leave the map, but their subregions stay, as in
        SPINEPS.
    """
    subregion, vertebra = named_as_spineps(found, semantic, names)
    top = next((names[number] for number in sorted(names) if names[number]), 0)
    above = level_above(top)
    for offset in (DISC_OFFSET, ENDPLATE_OFFSET):
        vertebra.data[vertebra.data == offset + SACRUM] = offset + above if above else 0
    return subregion, vertebra


def named_as_spineps(
    found: CountedMaps, semantic: InferenceConfig, names: Mapping[int, int]
) -> tuple[Volume, Volume]:
    """Return the final maps exactly as SPINEPS makes them; arguments as in `named_maps`."""
    final = merging.numbered(found, semantic, names)
    return final.subregion, final.vertebra


def _levels(counted: FinalMaps) -> Levels:
    """Name vertebrae numbered from `FIRST` downwards by what Wirbel sees of them."""
    data = counted.vertebra.data
    counters = np.where((data >= FIRST) & (data < SACRUM), data - (FIRST - 1), 0)
    flat = upright(counted.vertebra)
    return name_levels(flat.with_data(counters), flat.with_data(counted.subregion.data))


def _renamed(counted: FinalMaps, first: int, names: tuple[int, ...]) -> FinalMaps:
    """Replace the numbers from `first` on; structures above the topmost vertebra do not belong to the
    sacrum.
    """
    data = counted.vertebra.data.copy()
    for offset in (DISC_OFFSET, ENDPLATE_OFFSET):
        data[data == offset + SACRUM] = offset + first - 1
    data = renamed(data, dict(enumerate(names, start=first)), unnamed=SET_ASIDE)
    return replace(counted, vertebra=counted.vertebra.with_data(data))
