"""Check the names: none is left out between neighbours, and both maps show the same structures."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import (
    DISC,
    DISC_OFFSET,
    ENDPLATE_LABELS,
    ENDPLATE_OFFSET,
    LEVEL_LABELS,
    LEVELS_TOP_DOWN,
    SACRUM,
    VERTEBRA_SUBREGIONS,
)
from wirbel.core.plausibility.whole.chain import WholeChain

T11, T12, L1 = (LEVEL_LABELS[name] for name in ("T11", "T12", "L1"))
LAWFUL = {(T11, L1), (T12, L1)}
"""Eleven thoracic vertebrae, or no thirteenth, are no mistake."""
DISAGREEING = 0.05
"""Share of voxels that are a vertebra, a disc or an endplate in one map and something else in the other. Wirbel's own
maps have none; SPINEPS' leave out single voxels."""


def name_flags(chain: WholeChain) -> list[str]:
    """Return the flags about names."""
    flags = {
        "names_skipped": bool(skipped(chain)),
        "maps_disagree": disagreeing_share(chain) > DISAGREEING,
    }
    return [flag for flag, is_set in flags.items() if is_set]


def skipped(chain: WholeChain) -> list[tuple[int, int]]:
    """Return pairs of neighbouring bodies between whose names one is left out."""
    labels = [link.label for link in chain.links]
    order = {label: place for place, label in enumerate(LEVELS_TOP_DOWN)}
    return [
        pair
        for pair in zip(labels, labels[1:], strict=False)
        if order[pair[1]] - order[pair[0]] > 1 and pair not in LAWFUL
    ]


def disagreeing_share(chain: WholeChain) -> float:
    """Return the share of voxels of vertebrae, discs and endplates about which the maps disagree."""
    subregion, vertebra = chain.maps.subregion.data, chain.maps.vertebra.data
    either = (vertebra > 0) | np.isin(subregion, VERTEBRA_SUBREGIONS)
    kinds, numbers = subregion[either].astype(np.intp), vertebra[either].astype(np.intp)
    pairs = np.bincount(kinds * 256 + numbers, minlength=256 * 256).reshape(256, 256)
    agreeing = pairs[_lookup(VERTEBRA_SUBREGIONS)][:, :DISC_OFFSET].sum()
    agreeing -= pairs[_lookup(VERTEBRA_SUBREGIONS)][:, [0, SACRUM]].sum()
    agreeing += pairs[DISC, DISC_OFFSET:ENDPLATE_OFFSET].sum() + pairs[SACRUM, SACRUM]
    agreeing += pairs[_lookup(ENDPLATE_LABELS)][:, ENDPLATE_OFFSET:].sum()
    return float(1 - agreeing / pairs.sum()) if pairs.sum() else 0.0


def _lookup(labels: tuple[int, ...]) -> np.ndarray:
    return np.array(labels, np.intp)
