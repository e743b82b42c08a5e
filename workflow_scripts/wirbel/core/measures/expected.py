"""How high a vertebra would be, from the plausible other vertebrae of the same scan.

Neighbours alone do not tell: a fractured one hides the next, one that is merged with another or half labelled makes a
healthy one look low or high. So every level's height over the usual one is compared with that of all others.
"""

from __future__ import annotations

from collections.abc import Mapping

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
et al., Eur Spine J 2010;19:1104-1114. Only their proportions matter."""
ANCHOR_QUANTILE = 0.65
"""Of all heights over the usual ones; above the middle, as fractures lower heights and few things raise them."""
PLAUSIBLE = (0.88, 1.15)
"""Heights over the anchor that a vertebra may have to be compared with: single levels stray by 4 to 5 % (Black et al.,
J Bone Miner Res 1991;6:883), fractures lose 20 % and more."""
PLAUSIBLE_SHAPE = 0.8
"""Least anterior over posterior height of a vertebra to be compared with: below begins a fracture's grade 1."""
FEWEST = 1
NEAR_LEVELS = 2.0
"""Weights of the others fall to a half over so many levels."""


def plausible(posterior: Mapping[int, float], shape: Mapping[int, float]) -> dict[int, float]:
    """Return label -> height over the usual one, of the vertebrae whose own height is plausible.

    `posterior`: label -> posterior height in mm; `shape`: label -> smallest own ratio of heights.
    """
    relative = {
        v: h / USUAL_POSTERIOR_MM[v] for v, h in posterior.items() if v in USUAL_POSTERIOR_MM
    }
    whole = {v: r for v, r in relative.items() if shape.get(v, 1.0) >= PLAUSIBLE_SHAPE}
    relative = whole or relative  # where all are wedged their backs are all there is
    if not relative:
        return {}
    anchor = np.quantile(list(relative.values()), ANCHOR_QUANTILE)
    return {v: r for v, r in relative.items() if PLAUSIBLE[0] < r / anchor < PLAUSIBLE[1]}


def expected_height_mm(label: int, others: Mapping[int, float]) -> float | None:
    """Return the posterior height in mm that the others predict; None without any.

    `others`: as from `plausible`; the vertebra itself is left out. Nearer levels count more.
    """
    place = LEVELS_TOP_DOWN.index
    near = {v: r for v, r in others.items() if v != label}
    if len(near) < FEWEST or label not in USUAL_POSTERIOR_MM:
        return None
    away = np.array([abs(place(v) - place(label)) for v in near])
    weight = 1 / (1 + (away / NEAR_LEVELS) ** 2)
    return USUAL_POSTERIOR_MM[label] * float(np.average(list(near.values()), weights=weight))
