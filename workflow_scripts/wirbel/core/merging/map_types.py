"""Both label maps of a scan: final, or with vertebrae that are not named yet."""

from __future__ import annotations

from dataclasses import dataclass

from wirbel.core.geometry import Volume
from wirbel.core.levels.naming import Levels


@dataclass(frozen=True)
class FinalMaps:
    """Final subregion and vertebra maps (uint8, the scan's own grid), and how levels were named."""

    subregion: Volume
    vertebra: Volume
    levels: Levels


@dataclass(frozen=True)
class CountedMaps:
    """Both maps (uint8, the scan's own grid) before a labelling network has named the vertebrae.

    Attributes
    ----------
    subregion, vertebra : Volume
        The maps; vertebrae are numbered from the top down.
    levels : Levels
        What the vertebrae would be called without a labelling network.
    numbers : tuple of int
        Their numbers in the map, from the top down, one for each of `levels.labels`.
    seen : tuple of slice, optional
        If set, the vertebra map holds vertebrae only: discs and endplates are not assigned yet. It is then the part
        of the scan, along its own axes, that a labelling network sees.
    """

    subregion: Volume
    vertebra: Volume
    levels: Levels
    numbers: tuple[int, ...]
    seen: tuple[slice, ...] | None = None
