"""A cord that is compressed by known amounts, against itself above and below."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.chain_spine import ChainSpine, body, disc, render, slab
from support.spines.solid_spine import rotation

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.measures import measure
from wirbel.core.measures.cord.compression import mscc_percent
from wirbel.core.measures.cord.narrowest import Profile

T5 = LEVEL_LABELS["T5"]


def levels(cord, first: int = T5, **more) -> dict:
    """Return the rows of five vertebrae of 21 mm height, 26 mm with their discs."""
    links = [
        x for v in range(first, first + 5) for x in (body(v, 21, 26, 30), disc(v, 5, 5, 27, 31))
    ]
    spine = ChainSpine(links[:-1], cord=cord, **more)
    measured = measure(None, *render(spine, pose=rotation(2, 2, 2), shift_mm=(0.3, 0.4, 0.1)))
    return {row["level"]: row for row in measured.levels}


def test_a_third_less_than_above_and_below_is_a_third_of_compression():
    assert mscc_percent(5.0, 8.0, 7.0) == pytest.approx(100 / 3)
    assert mscc_percent(7.0, 7.0, 7.0) == 0


def test_a_cord_flattened_beside_one_disc():
    """The cord is 7.5 mm deep, and 5 mm from 44 to 56 mm below the top: around the disc T6-T7.

    The smallest of many AP diameters lies 0.3 mm below a single one, which is 6 % of 5 mm.
    """
    rows = levels(lambda d: (5.0, 13.0) if 44 < d < 56 else (7.5, 12.0))
    assert rows["T6"]["compression_status"] == "ok"
    assert rows["T6"]["cord_compression_percent"] == pytest.approx(100 / 3, abs=8)
    assert abs(rows["T8"]["cord_compression_percent"]) < 7
    assert rows["T9"]["compression_status"] == "no_neighbour"  # the lowest in view


def test_a_level_next_to_a_compressed_one_is_compared_with_the_next_but_one():
    """From 44 to 82 mm all is flat, the body of T7 and both discs: above T6 and below T8 the cord is normal."""
    rows = levels(lambda d: (5.0, 13.0) if 44 < d < 82 else (7.5, 12.0))
    assert rows["T6"]["cord_compression_percent"] == pytest.approx(100 / 3, abs=8)
    assert rows["T7"]["cord_compression_percent"] == pytest.approx(100 / 3, abs=8)


def test_a_gap_in_the_cords_labels_is_no_compression():
    """From 52 to 61 mm, beside the upper half of T7, nothing is labelled: no cord is 0 mm deep."""
    rows = levels(lambda d: (0.01, 0.01) if 52 < d < 61 else (7.5, 12.0))
    assert rows["T6"]["cord_disc_status"] == "ok"
    assert rows["T6"]["cord_compression_percent"] is None
    assert rows["T6"]["compression_status"] == "not_in_view"


@pytest.mark.parametrize(("gap", "found"), [(0.0, None), (2.0, (2.0, 2.0))])
def test_where_a_structure_is_broken_no_place_is_the_narrowest(gap, found):
    sizes = np.full(200, 10.0)
    sizes[100:110] = gap
    assert Profile(0.0, sizes, sizes).narrowest(10.0, 40.0) == found


@pytest.mark.parametrize("spacing_mm", [(3.3, 0.86, 0.86), (0.9, 0.9, 0.9)], ids=["thick", "thin"])
def test_a_cord_that_leaves_the_slices_is_not_compressed(spacing_mm):
    """The spine leans to one side by 8 degrees, out of a narrow slab: from T8 on the cord's middle is out of view."""
    links = [x for v in range(T5, T5 + 5) for x in (body(v, 21, 26, 30), disc(v, 5, 5, 27, 31))]
    leaning = ChainSpine(links[:-1], cord=(7.5, 12.0))
    maps = render(leaning, spacing_mm, rotation(0, 8, 0), (0.3, 0.4, 0.1))
    rows = {row["level"]: row for row in measure(None, *(slab(v, -9, 14) for v in maps)).levels}
    assert rows["T8"]["cord_body_status"] == "touches_border"
    assert rows["T7"]["cord_compression_percent"] is None
    assert rows["T7"]["compression_status"] == "not_in_view"  # nothing whole below to compare with
    for seen in ("T5", "T6"):
        assert rows[seen]["compression_status"] == "ok"
        assert abs(rows[seen]["cord_compression_percent"]) < 10


def test_near_the_conus_there_is_no_normal_cord_to_compare_with():
    rows = levels((7.5, 12.0), LEVEL_LABELS["T8"])
    assert rows["T10"]["compression_status"] == "ok"
    assert rows["T11"]["compression_status"] == "not_defined_at_level"
    assert rows["T11"]["cord_compression_percent"] is None


def test_without_a_cord_the_status_says_so():
    rows = levels(None)
    assert rows["T6"]["cord_compression_percent"] is None
    assert rows["T6"]["compression_status"] == "absent"
