"""Canal and cord of unusual form: short stenoses, flat and round cords, a dural sac that is called cord."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spines.chain_spine import ChainSpine, body, disc, render, slab
from support.spines.solid_spine import rotation

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.measures import measure

T7 = LEVEL_LABELS["T7"]


def thoracic(**more) -> ChainSpine:
    links = [x for v in range(T7, T7 + 4) for x in (body(v, 21, 26, 30), disc(v, 5, 5, 27, 31))]
    return ChainSpine(links[:-1], **more)


def levels(spine, shift=(0.3, 0.4, 0.1)):
    maps = render(spine, pose=rotation(2, 2, 2), shift_mm=shift)
    measured = measure(None, *maps)
    return {row["level"]: row for row in measured.levels}, measured.scan


def test_a_stenosis_of_four_millimetres_shows_in_the_smallest_diameter():
    """The disc T8-T9 lies 47 to 52 mm below the top; the canal is 16 x 24 mm elsewhere."""
    rows, _ = levels(
        thoracic(canal=lambda d: (6.0, 20.0) if 50 < d < 54 else (16.0, 24.0), cord=None)
    )
    assert rows["T8"]["canal_ap_min_mm"] == pytest.approx(6, abs=1.0)
    assert rows["T8"]["canal_area_min_mm2"] == pytest.approx(np.pi / 4 * 120, rel=0.2)
    assert rows["T7"]["canal_ap_min_mm"] == pytest.approx(16, abs=0.8)
    assert rows["T8"]["canal_ap_body_mm"] == pytest.approx(16, abs=0.5)


@pytest.mark.parametrize(
    ("spacing_mm", "last"),
    [((3.3, 0.86, 0.86), "L4"), ((0.9, 0.9, 0.9), "L3")],
    ids=["thick", "thin"],
)
def test_a_canal_that_leaves_the_slices_is_not_narrow_there(spacing_mm, last):
    """It is 16 x 24 mm. The spine leans by 8 degrees: behind the body after the last one, the middle is out of view."""
    first = LEVEL_LABELS["L1"]
    links = [
        x for v in range(first, first + 5) for x in (body(v, 27, 34, 44), disc(v, 9, 9, 35, 45))
    ]
    maps = render(ChainSpine(links[:-1], cord=None), spacing_mm, rotation(0, 8, 0), (0.3, 0.4, 0.1))
    rows = {row["level"]: row for row in measure(None, *(slab(v, -9, 18) for v in maps)).levels}
    after = f"L{int(last[1]) + 1}"
    assert rows[after]["canal_ap_min_status"] == "touches_border"
    assert rows[last]["canal_ap_min_status"] == "ok"
    assert rows[last]["canal_ap_min_mm"] == pytest.approx(15.6, abs=0.6)
    assert rows["L1"]["canal_ap_min_mm"] == pytest.approx(15.9, abs=1)


def leaning(lean_deg, canal, spacing_mm):
    first = LEVEL_LABELS["L1"]
    links = [
        x for v in range(first, first + 5) for x in (body(v, 27, 34, 44), disc(v, 9, 9, 35, 45))
    ]
    spine = ChainSpine(links[:-1], canal=canal, cord=None)
    return render(spine, spacing_mm, rotation(0, lean_deg, 0), (0.3, 0.4, 0.1))


@settings(max_examples=2, deadline=None)
@given(
    st.floats(4, 9),
    st.sampled_from([(16.0, 24.0), (10.0, 22.0)]),
    st.sampled_from([(-9.0, 18.0), (-12.0, 12.0), (-18.0, 10.0)]),
    st.sampled_from([(3.3, 0.86, 0.86), (4.4, 0.8, 0.8)]),
)
def test_the_smallest_diameter_is_that_of_the_whole_canal_or_none(
    lean_deg, canal, ends, spacing_mm
):
    """The spine leans out of the slab. What is left of the canal beside its border is less deep than its middle: until
    flanks that are whole told the middle, diameters there were 1 to 1.6 mm too small.

    The uppermost level is left out: the canal ends beside it, and its centreline bends there.
    """
    maps = leaning(lean_deg, canal, spacing_mm)
    whole, cut = (
        {row["level"]: row for row in measure(None, *seen).levels}
        for seen in (maps, [slab(v, *ends) for v in maps])
    )
    known = [level for level in cut if cut[level]["canal_ap_min_mm"] and level != "L1"]
    for level in known:
        expected = whole[level]["canal_ap_min_mm"]
        assert cut[level]["canal_ap_min_mm"] == pytest.approx(expected, abs=0.5), level
        area = cut[level]["canal_area_min_mm2"]
        assert area is None or area == pytest.approx(whole[level]["canal_area_min_mm2"], rel=0.05)


@pytest.mark.parametrize(("depth", "width"), [(3.0, 15.0), (4.0, 12.0), (7.0, 11.0)])
def test_a_cord_in_many_slices_keeps_its_own_form(depth, width):
    found = [levels(thoracic(cord=(depth, width)), (k / 3, 0.4, 0.2))[0] for k in range(2)]
    rows = [row for one in found for name, row in one.items() if name in ("T8", "T9")]
    ap = np.mean([row[f"cord_ap_{place}_mm"] for row in rows for place in ("body", "disc")])
    area = np.mean([row[f"cord_area_{place}_mm2"] for row in rows for place in ("body", "disc")])
    assert ap == pytest.approx(depth, abs=0.4)
    assert area == pytest.approx(np.pi / 4 * depth * width, rel=0.08)


def lumbar(end_mm):
    first = LEVEL_LABELS["L1"]
    links = [x for v in range(first, first + 5) for x in (body(v, 26), disc(v, 9, 9))]
    cord = lambda d: (7.0, 11.0) if d < end_mm else (1e-3, 1e-3)  # noqa: E731
    return ChainSpine(links, cord=cord, sacrum=True)


def test_the_cord_ends_beside_a_vertebra():
    rows, scan = levels(lumbar(45.0))  # L2 lies 35 to 61 mm below the top
    assert (scan["conus_level"], scan["conus_status"]) == ("L2", "ok")
    assert rows["L1"]["cord_body_status"] == "ok"


def test_a_cord_down_to_l5_is_questioned_and_keeps_its_values():
    rows, scan = levels(lumbar(300.0))
    assert rows["L4"]["cord_body_status"] == rows["L4"]["space_body_status"] == "cord_questioned"
    assert rows["L4"]["cord_area_body_mm2"] == pytest.approx(np.pi / 4 * 77, rel=0.15)
    assert rows["L1"]["cord_body_status"] == "ok"
    assert scan["conus_status"] in ("cord_questioned", "not_in_view")


def test_what_is_larger_than_a_cord_is_questioned_at_any_level():
    rows, _ = levels(thoracic(cord=(13.0, 18.0)))
    assert rows["T8"]["cord_body_status"] == "cord_questioned"
