"""How high a vertebra would be, from the plausible other vertebrae of the same scan.

Neighbours alone do not tell: a fractured one hides the next, one that is merged with another or half labelled makes a
healthy one look low or high. So the heights of all levels of the scan, over the usual ones, are held against a straight
line along the spine, fitted so that outliers have no say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from wirbel.core.labels import LEVEL_LABELS, LEVELS_TOP_DOWN

USUAL_POSTERIOR_MM = {
    LEVEL_LABELS[level]: height
    for level, height in {
        "C3": 14.0, "C4": 13.6, "C5": 13.1, "C6": 13.1, "C7": 15.2,
        "T1": 16.8, "T2": 18.4, "T3": 19.0, "T4": 19.5, "T5": 20.1, "T6": 20.6, "T7": 21.1,
        "T8": 21.5, "T9": 22.1, "T10": 23.1, "T11": 24.1, "T12": 25.6, "T13": 25.6,
        "L1": 27.0, "L2": 27.6, "L3": 27.2, "L4": 26.8, "L5": 25.1, "L6": 25.1,
    }.items()
}  # fmt: skip
"""Mean posterior heights of adults, mm: Panjabi et al., Spine 1991;16:861-869 and 888-901, 1992;17:299-306; Busscher
et al., Eur Spine J 2010;19:1104-1114."""
SCATTER = 0.045
"""Single levels stray by 4 to 5 % from what a person's others predict (Black et al., J Bone Miner Res 1991;6:883)."""
SIZE_SPREAD = 0.12
"""Adults' vertebrae differ by 8 to 10 % in height; held loosely, it decides where half of a scan has lost height."""
SLOPE_SPREAD = 0.15
"""How far a person's proportions change over ten levels, against the usual ones."""
LARGEST_SCATTER = 2.5
"""Beyond so many times the scatter a height is an outlier: fractures lose 20 % and more."""
OUTLIER_COST = {"low": LARGEST_SCATTER**2, "high": 1.5 * LARGEST_SCATTER**2}
"""What an outlier costs a line: fractures and missing halves lower heights, only merging raises them."""
PLAUSIBLE_SHAPE = 0.8
"""Least anterior and middle over posterior height of a vertebra that counts in full: below begins a fracture's grade 1,
and its back may have lost height as well."""
DOUBTED = 0.05
"""How much one of a less plausible shape counts: only where the scan shows nothing else."""
NEAR_LEVELS = 3.0
"""What the others stray from the line tells of a vertebra half as much over so many levels."""
ROUNDS = 4


@dataclass(frozen=True)
class Profile:
    """Levels of one scan: place along the spine in tens of levels, logarithm of the height over the usual one, weight.

    A weight of 0 marks an outlier: a height that the scan's other levels contradict.
    """

    labels: tuple[int, ...]
    place: np.ndarray
    relative: np.ndarray
    weight: np.ndarray

    @property
    def plausible(self) -> tuple[int, ...]:
        """The levels that agree with each other."""
        return tuple(v for v, w in zip(self.labels, self.weight, strict=True) if w > 0)


def height_profile(posterior: Mapping[int, float], shape: Mapping[int, float]) -> Profile:
    """Return which of a scan's vertebrae have plausible heights.

    `posterior`: label -> posterior height in mm; `shape`: label -> smallest own ratio of heights.
    """
    labels = tuple(v for v in LEVELS_TOP_DOWN if v in posterior and v in USUAL_POSTERIOR_MM)
    relative = np.log([max(posterior[v], 0.1) / USUAL_POSTERIOR_MM[v] for v in labels])
    trust = np.array([1.0 if shape.get(v, 1.0) >= PLAUSIBLE_SHAPE else DOUBTED for v in labels])
    place = np.array([_place(v) for v in labels])
    if not labels:
        return Profile((), place, relative, trust)
    line = _best_line(place, relative, trust)
    for _ in range(ROUNDS):
        weight = trust * _tukey(relative - _at(line, place))
        if not weight.any():
            break
        line = _line(place, relative, weight)
    return Profile(labels, place, relative, weight)


def expected_height_mm(label: int, profile: Profile) -> float | None:
    """Return the posterior height in mm that the plausible others predict; None without any.

    The line is fitted without the vertebra itself; what its plausible neighbours stray from it counts by nearness.
    """
    others = (profile.weight > 0) & (np.array(profile.labels) != label)
    if label not in USUAL_POSTERIOR_MM or not others.any():
        return None
    place, relative, weight = (
        values[others] for values in (profile.place, profile.relative, profile.weight)
    )
    here = _place(label)
    line = _line(place, relative, weight)
    near = weight / (1 + (10 * (place - here) / NEAR_LEVELS) ** 2)
    aside = near @ (relative - _at(line, place)) / (1 + near.sum())
    return USUAL_POSTERIOR_MM[label] * float(np.exp(_at(line, here) + aside))


def _place(label: int) -> float:
    return LEVELS_TOP_DOWN.index(label) / 10


def _at(line: np.ndarray, place):
    middle, size, slope = line
    return size + slope * (place - middle)


def _line(place: np.ndarray, relative: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return (middle, size, slope) by weighted least squares, the slope held to the usual one."""
    middle, size = (float(np.average(values, weights=weight)) for values in (place, relative))
    away = place - middle
    spread = weight @ away**2 + (SCATTER / SLOPE_SPREAD) ** 2
    return np.array([middle, size, weight @ (away * (relative - size)) / spread])


def _best_line(place: np.ndarray, relative: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """Return the line through one or two levels that agrees with most of the others."""
    lines = []
    for pair in combinations_with_replacement(range(len(place)), 2):
        at = list(dict.fromkeys(pair))
        lines.append(_line(place[at], relative[at], trust[at]))
    return min(lines, key=lambda line: _cost(line, place, relative, trust))


def _cost(line: np.ndarray, place: np.ndarray, relative: np.ndarray, trust: np.ndarray) -> float:
    """Return what keeps a line from being a person's: its misfit, outliers, and an unusual size or slope."""
    off = (relative - _at(line, place)) / SCATTER
    limit = np.where(off < 0, OUTLIER_COST["low"], OUTLIER_COST["high"])
    held = (line[1] / SIZE_SPREAD) ** 2 + (line[2] / SLOPE_SPREAD) ** 2
    return float(trust @ np.minimum(off**2, limit) + held)


def _tukey(off: np.ndarray) -> np.ndarray:
    """Return Tukey's biweights of misfits (Beaton and Tukey, Technometrics 1974;16:147)."""
    return np.maximum(1 - (off / (LARGEST_SCATTER * SCATTER)) ** 2, 0) ** 2
