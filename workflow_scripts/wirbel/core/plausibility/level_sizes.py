"""How large a vertebral body or disc of each level can be in an adult.

The means of adults (`level_means`) are stretched to ranges that hold adults of any size, on MRI, fractured ones
too: only what no vertebra of that level can be lies outside.
"""

from __future__ import annotations

from wirbel.core.labels import LEVEL_NAMES
from wirbel.core.levels.level_means import MEANS, LevelMeans

Range = tuple[float, float]

BODIES = {
    level: MEANS["C3" if level == "C1" else level]
    for level in LEVEL_NAMES.values()
    if level != "S1"
}
"""Level -> mean sizes of the body; C2's height with the dens."""

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


def _volume_mm3(sizes: LevelMeans, factors: Range) -> Range:
    box = sizes.depth_mm * sizes.width_mm * sizes.height_mm
    low, high = _times(FILLED * box, factors)
    return (round(low, -1), round(high, -1))


BODY_DEPTH_MM = {level: _times(sizes.depth_mm, DEPTH_OF_MEAN) for level, sizes in BODIES.items()}
BODY_WIDTH_MM = {level: _times(sizes.width_mm, WIDTH_OF_MEAN) for level, sizes in BODIES.items()}
BODY_HEIGHT_MM = {
    level: _times(sizes.height_mm, HEIGHT_OF_MEAN)
    for level, sizes in BODIES.items()
    if level not in ("C1", "C2")  # without an upper endplate to measure from
}
BODY_VOLUME_MM3 = {level: _volume_mm3(sizes, VOLUME_OF_MEAN) for level, sizes in BODIES.items()}
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
    sizes = BODIES[level]
    thin, thick = DISC_HEIGHT_MM[level[0]]
    area = FILLED * sizes.depth_mm * sizes.width_mm
    return (round(0.4 * area * thin, -1), round(1.8 * area * thick, -1))


DISC_VOLUME_MM3 = by_disc({level: _disc_volume_mm3(level) for level in BODIES})
DISC_HEIGHTS_MM = by_disc({level: DISC_HEIGHT_MM[level[0]] for level in BODIES})
DISC_DEPTH_MM = by_disc(BODY_DEPTH_MM)
"""Disc -> smallest and largest plausible volume, mean height and depth."""
