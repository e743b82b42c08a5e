"""Ranges by level: wide enough for every adult, narrow enough to tell a neck from a lumbar spine."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.labels import LEVEL_NAMES, disc_name
from wirbel.core.plausibility import level_sizes as S
from wirbel.phantom.person.morphometry import MEAN_DIMENSIONS

SMALL, LARGE = 0.8, 1.25
"""Of the mean: 98 % of adults lie between (10 % standard deviation)."""
LEVELS = [level for level in MEAN_DIMENSIONS if level != "C2"]


def inside(value, limits):
    return limits[0] < value < limits[1]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("scale", [SMALL, 1.0, LARGE])
def test_adults_of_any_size_lie_inside(level, scale):
    """Dimensions of living adults (another source than the ranges'), volumes those of an elliptic cylinder."""
    mean = MEAN_DIMENSIONS[level]
    assert inside(scale * mean.depth_mm, S.BODY_DEPTH_MM[level])
    assert inside(scale * mean.width_mm, S.BODY_WIDTH_MM[level])
    assert inside(scale * mean.height_mm, S.BODY_HEIGHT_MM[level])
    area = np.pi / 4 * mean.depth_mm * mean.width_mm
    assert inside(scale**3 * area * mean.height_mm, S.BODY_VOLUME_MM3[level])
    disc = next(name for name in S.DISC_VOLUME_MM3 if name.startswith(f"{level}-"))
    assert inside(scale * mean.disc_mm, S.DISC_HEIGHTS_MM[disc])
    assert inside(scale**3 * area * mean.disc_mm, S.DISC_VOLUME_MM3[disc])


@pytest.mark.parametrize("level", LEVELS)
def test_a_small_persons_body_crushed_to_half_its_height_lies_inside(level):
    mean = MEAN_DIMENSIONS[level]
    volume = np.pi / 4 * mean.depth_mm * mean.width_mm * mean.height_mm * SMALL**3 / 2
    assert inside(volume, S.BODY_VOLUME_MM3[level])
    assert inside(SMALL * mean.height_mm / 2, S.BODY_HEIGHT_MM[level])


def test_no_lumbar_body_passes_for_a_cervical_one():
    mean = MEAN_DIMENSIONS["L3"]
    volume = np.pi / 4 * mean.depth_mm * mean.width_mm * mean.height_mm
    assert not inside(volume, S.BODY_VOLUME_MM3["C5"])
    assert not inside(2000.0, S.BODY_VOLUME_MM3["L3"])  # a bit of 2 ml is no L3


def test_every_level_and_every_disc_has_a_range():
    assert S.BODY_VOLUME_MM3.keys() | {"S1"} == set(LEVEL_NAMES.values())
    assert S.VERTEBRA_VOLUME_MM3.keys() == S.BODY_VOLUME_MM3.keys()
    for above, below in (
        (2, 3),
        (18, 20),
        (19, 20),
        (19, 28),
        (28, 20),
        (23, 26),
        (24, 25),
        (24, 26),
        (25, 26),
    ):
        assert disc_name(above, below) in S.DISC_VOLUME_MM3
