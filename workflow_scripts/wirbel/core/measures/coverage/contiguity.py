"""Which vertebrae really follow each other: numbers alone do not tell where a vertebra was not segmented."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache

from scipy.spatial import cKDTree

from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS, LEVELS_TOP_DOWN, SACRUM
from wirbel.core.measures.label_maps import LabelMaps

C2, T11, T12, T13, L1, L4, L5, L6 = (
    LEVEL_LABELS[name] for name in ("C2", "T11", "T12", "T13", "L1", "L4", "L5", "L6")
)
RARE = {T12: T13, L5: L6}
"""Level -> the additional vertebra that some people have below it."""
ONE_FEWER = {T11: L1, L4: SACRUM}
"""Level -> what follows it in people with one vertebra fewer."""
LARGEST_GAP_MM = 22.0
"""A disc lies between bodies that follow each other: at most 18 mm, and its endplates. Where a vertebra is missing, its
body and a second disc lie there, 23 mm in the neck and more below."""
DISC_GAP_MM = 6.0
"""The gap where the disc is labelled: its endplates, which maps draw up to 3 mm thick."""
FEW = 3000
"""So many voxels of a structure are looked at."""


def level_below(
    label: int, present: Collection[int], touch: Callable[[int, int], bool] = lambda *_: True
) -> int:
    """Return the label of the vertebra (or sacrum) under `label`, where numbers vary by those `present`.

    What follows in people with one vertebra fewer does so only if both `touch`: else one was not segmented.
    """
    if RARE.get(label) in present:
        return RARE[label]
    if label in RARE:
        return L1 if label == T12 else SACRUM
    following = LEVELS_TOP_DOWN[LEVELS_TOP_DOWN.index(label) + 1]
    other = ONE_FEWER.get(label)
    if other is not None and following not in present and other in present and touch(label, other):
        return other
    return following


class Contiguity:
    """Tells of a scan's vertebrae which one lies right below another."""

    def __init__(self, maps: LabelMaps) -> None:
        self._maps = maps
        self.present = [v for v in LEVELS_TOP_DOWN if v in maps.boxes]
        self.touch = cache(self._touch)

    def below(self, label: int) -> int:
        """Return the label of what lies under a vertebra, present or not."""
        return level_below(label, self.present, self.touch)

    def is_followed(self, label: int) -> bool:
        """Whether the map holds what lies under a vertebra."""
        below = self.below(label)
        return below in self.present and self.touch(label, below)

    def has_both(self, label: int) -> bool:
        """Whether the map holds the vertebrae above and below one; nothing but C1 lies above C2."""
        above = self.present[: self.present.index(label)]
        hangs = label == C2 or bool(above) and self.below(above[-1]) == label
        return hangs and self.is_followed(label)

    def lies_between(self, label: int) -> bool:
        """Whether some of what is present lies above a level, and some below."""
        at = LEVELS_TOP_DOWN.index(label)
        places = [LEVELS_TOP_DOWN.index(v) for v in self.present]
        return bool(places) and min(places) < at < max(places)

    def unbroken(self) -> bool:
        """Whether each vertebra of the map is followed by the next one of it."""
        pairs = zip(self.present, self.present[1:], strict=False)
        return all(self.below(a) == b and self.touch(a, b) for a, b in pairs)

    def _touch(self, above: int, below: int) -> bool:
        """Whether no vertebra has room between two: below the disc of the upper one, else between the bodies."""
        lower = self._maps.bone(below)
        has_disc = DISC_OFFSET + above in self._maps.boxes
        upper = self._maps.disc(above) if has_disc else self._maps.bone(above)
        if upper is None or lower is None:
            return False
        one, other = (r.points_mm[:: max(len(r.points_mm) // FEW, 1)] for r in (upper, lower))
        gap = cKDTree(one).query(other)[0].min()
        return bool(gap < (DISC_GAP_MM if has_disc else LARGEST_GAP_MM))
