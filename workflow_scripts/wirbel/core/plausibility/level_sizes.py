"""How large a vertebral body or disc of each level can be in an adult.

Means: Panjabi et al., Spine 1991;16:861 (cervical), 1991;16:888 (thoracic), 1992;17:299 (lumbar), 12 spines
with calipers; endplates' depth and width, height of the back wall. They are stretched to ranges that hold
adults of any size, on MRI, fractured ones too: only what no vertebra of that level can be lies outside.
"""

from __future__ import annotations

from wirbel.core.labels import LEVEL_NAMES

Range = tuple[float, float]

_MEANS_MM = {
    "C2": (15.6, 17.5, 38.0),
    "C3": (15.3, 16.5, 11.6),
    "C4": (15.6, 17.1, 11.4),
    "C5": (16.6, 18.5, 11.4),
    "C6": (17.5, 20.3, 10.9),
    "C7": (17.5, 22.6, 12.8),
    "T1": (19.1, 26.2, 14.1),
    "T2": (20.6, 26.2, 15.6),
    "T3": (23.0, 25.3, 15.7),
    "T4": (23.9, 25.3, 16.2),
    "T5": (25.1, 26.0, 16.2),
    "T6": (26.5, 27.2, 17.4),
    "T7": (28.0, 28.5, 18.2),
    "T8": (28.7, 30.0, 18.7),
    "T9": (30.2, 31.8, 19.3),
    "T10": (31.1, 33.7, 20.2),
    "T11": (31.9, 37.0, 21.3),
    "T12": (33.1, 40.6, 22.7),
    "L1": (34.7, 42.3, 23.8),
    "L2": (34.8, 44.1, 24.3),
    "L3": (35.0, 46.1, 23.8),
    "L4": (34.7, 48.1, 24.1),
    "L5": (34.0, 48.4, 22.9),
}
MEANS_MM = _MEANS_MM | {"C1": _MEANS_MM["C3"], "T13": _MEANS_MM["T12"], "L6": _MEANS_MM["L5"]}
"""Level -> mean depth, width and height of the body in mm; C2's height with the dens. T13 is taken like T12, L6
like L5."""

DEPTH_OF_MEAN, WIDTH_OF_MEAN, HEIGHT_OF_MEAN = (0.5, 1.6), (0.5, 1.7), (0.3, 1.9)
"""Sizes of adults vary by 10 % around their level's mean (standard deviation; Panjabi): 0.5 and 1.6 lie beyond
four of these. A crushed body keeps half its height (Genant et al., J Bone Miner Res 1993;8:1137, grade 3: from
40 % loss); calipers between the rims' points measure 15 % less than MRI does between the outer surfaces."""
FILLED = 0.75
"""Volume of a body over that of its box: an ellipse of pi / 4, waisted."""
VOLUME_OF_MEAN = (0.2, 3.0)
DISC_HEIGHT_MM = {"C": (1.0, 10.0), "T": (1.0, 12.0), "L": (1.5, 22.0)}
"""Region of the vertebra above -> mean disc heights: 5, 4 to 6 and 8 to 12 mm (Frobin et al., Clin Biomech 1997;12
Suppl 1:S1; Kunkel et al., J Anat 2011;219:375), nearly nothing in the last stage of degeneration."""


def _times(mean: float, factors: Range) -> Range:
    return (round(mean * factors[0], 1), round(mean * factors[1], 1))


def _volume_mm3(sizes: tuple[float, float, float], factors: Range) -> Range:
    depth, width, height = sizes
    low, high = _times(FILLED * depth * width * height, factors)
    return (round(low, -1), round(high, -1))


BODY_DEPTH_MM = {level: _times(sizes[0], DEPTH_OF_MEAN) for level, sizes in MEANS_MM.items()}
BODY_WIDTH_MM = {level: _times(sizes[1], WIDTH_OF_MEAN) for level, sizes in MEANS_MM.items()}
BODY_HEIGHT_MM = {
    level: _times(sizes[2], HEIGHT_OF_MEAN)
    for level, sizes in MEANS_MM.items()
    if level not in ("C1", "C2")  # without an upper endplate to measure from
}
BODY_VOLUME_MM3 = {level: _volume_mm3(sizes, VOLUME_OF_MEAN) for level, sizes in MEANS_MM.items()}
"""Level -> smallest and largest plausible depth, width, height and volume of a body."""
VERTEBRA_OF_BODY = {"C": (1.3, 4.5), "T": (1.2, 3.0), "L": (1.2, 3.0)}
"""Region -> volume of a whole vertebra over that of its body: 2.5 to 3.7 in the neck, 1.5 to 2.3 below (simulated from
Panjabi's pedicles and processes); a part of the processes may be missing from a mask."""
VERTEBRA_VOLUME_MM3 = {
    level: (
        round(low * VERTEBRA_OF_BODY[level[0]][0], -1),
        round(high * VERTEBRA_OF_BODY[level[0]][1], -1),
    )
    for level, (low, high) in BODY_VOLUME_MM3.items()
}
"""Level -> smallest and largest plausible volume of a whole vertebra."""


def by_disc(sizes: dict[str, Range]) -> dict[str, Range]:
    """Return the ranges of discs, such as "L4-L5", from those of the vertebrae above them."""
    names = [level for v, level in LEVEL_NAMES.items() if v != 1]
    more = [("T11", "L1"), ("T12", "L1"), ("L4", "S1"), ("L5", "S1")]
    pairs = [*zip(names, names[1:], strict=False), *more]
    return {f"{above}-{below}": sizes[above] for above, below in pairs}


def _disc_volume_mm3(level: str) -> Range:
    depth, width, _ = MEANS_MM[level]
    thin, thick = DISC_HEIGHT_MM[level[0]]
    area = FILLED * depth * width
    return (round(0.4 * area * thin, -1), round(1.8 * area * thick, -1))


DISC_VOLUME_MM3 = by_disc({level: _disc_volume_mm3(level) for level in MEANS_MM})
DISC_HEIGHTS_MM = by_disc({level: DISC_HEIGHT_MM[level[0]] for level in MEANS_MM})
DISC_DEPTH_MM = by_disc(BODY_DEPTH_MM)
"""Disc -> smallest and largest plausible volume, mean height and depth."""
