"""Levels of a spine without landmark, estimated from the sizes of its bodies and the cord's end."""

from __future__ import annotations

import numpy as np

from wirbel.core.chain import Chain
from wirbel.core.geometry import Volume
from wirbel.core.labels import CANAL, CORD
from wirbel.core.landmarks import BodyShape, cord_end

# Depth and width: mean of upper and lower endplate; height: posterior wall. Mean of 12 adult spines:
# Panjabi et al., Spine 1991;16:861 (cervical), 1991;16:888 (thoracic), 1992;17:299 (lumbar).
# L6 is taken like L5. C2's height with dens: see landmarks.
BODY_SIZES_MM: dict[int, tuple[float, float, float]] = {
    2: (15.6, 17.5, 38.0),
    3: (15.3, 16.5, 11.6),
    4: (15.6, 17.1, 11.4),
    5: (16.6, 18.5, 11.4),
    6: (17.5, 20.3, 10.9),
    7: (17.5, 22.6, 12.8),
    8: (19.1, 26.2, 14.1),
    9: (20.6, 26.2, 15.6),
    10: (23.0, 25.3, 15.7),
    11: (23.9, 25.3, 16.2),
    12: (25.1, 26.0, 16.2),
    13: (26.5, 27.2, 17.4),
    14: (28.0, 28.5, 18.2),
    15: (28.7, 30.0, 18.7),
    16: (30.2, 31.8, 19.3),
    17: (31.1, 33.7, 20.2),
    18: (31.9, 37.0, 21.3),
    19: (33.1, 40.6, 22.7),
    20: (34.7, 42.3, 23.8),
    21: (34.8, 44.1, 24.3),
    22: (35.0, 46.1, 23.8),
    23: (34.7, 48.1, 24.1),
    24: (34.0, 48.4, 22.9),
    25: (34.0, 48.4, 22.9),
}
"""Vertebra label -> depth, width and height of the body in mm."""
WITHIN_PERSON = np.array([0.08, 0.08, 0.10])
"""Standard deviation of the logarithm of depth, width, height about a person's own scale."""
BETWEEN_PERSONS = np.array([0.10, 0.10, 0.15])
"""The same between persons; heights also differ between callipers on dried bone and MRI."""
TEMPER = 0.5
"""Weight of the evidence: errors of neighbouring bodies in one scan are alike, not independent."""
CONUS_LABEL = 20.2
CONUS_SPREAD = 0.8
"""End of the cord: lower third of L1, standard deviation 0.8 vertebrae (Saifuddin et al., Spine 1998;23:1452)."""
CONUS_MARGIN_MM = 30.0
"""Canal that must be seen beyond the cord's end before the end counts as the conus."""


def level_probabilities(
    shapes: list[BodyShape], relative: list[int], labels: Volume, chain: Chain, last_label: int
) -> dict[int, float]:
    """Return the probability of each label (2 ... ) for the vertebra at relative position 0.

    `relative` gives each shape's position in vertebrae below that one. Labels that would push the last vertebra beyond
    `last_label` are left out.
    """
    first = [n for n in BODY_SIZES_MM if n + max(relative) <= last_label]
    if not first:
        return {}
    score = np.array([_size_score(shapes, relative, n) for n in first])
    score += np.array([_cord_score(shapes, relative, n, labels, chain) for n in first])
    weight = np.exp(TEMPER * (score - score.max()))
    return dict(zip(first, (weight / weight.sum()).tolist(), strict=True))


def _size_score(shapes: list[BodyShape], relative: list[int], first: int) -> float:
    """Log likelihood of the measured sizes, a person's own scale taken out as far as it is likely."""
    rows = [
        np.log([s.depth_mm, s.width_mm if s.width_known else np.nan, s.height_mm])
        - np.log(BODY_SIZES_MM[first + r])
        for s, r in zip(shapes, relative, strict=True)
        if s.complete
    ]
    if not rows:
        return 0.0
    residual = np.array(rows)
    known = np.isfinite(residual)
    total = np.where(known, residual, 0.0).sum(0)
    ratio = (WITHIN_PERSON / BETWEEN_PERSONS) ** 2
    scale = total / (known.sum(0) + ratio)
    within = np.where(known, residual - scale, 0.0) / WITHIN_PERSON
    return float(-0.5 * ((within**2).sum() + ((scale / BETWEEN_PERSONS) ** 2).sum()))


def _cord_score(shapes, relative, first, labels, chain) -> float:
    """Log likelihood of where the cord ends, or of the part of the canal that has (or lacks) a cord."""
    ends = cord_end(labels, chain, CORD, CANAL)
    if ends is None or len(shapes) < 2:
        return 0.0
    cord, top, bottom = ends
    middles = [s.middle_mm for s in shapes]

    def label_at(arc_mm: float) -> float:
        return first + float(np.interp(arc_mm, middles, relative))

    if not np.isfinite(cord):
        excess = max(0.0, CONUS_LABEL - label_at(top))
    elif bottom - cord >= CONUS_MARGIN_MM:
        excess = label_at(cord) - CONUS_LABEL
    else:
        excess = max(0.0, label_at(min(cord, bottom)) - CONUS_LABEL)
    return -0.5 * (excess / CONUS_SPREAD) ** 2
