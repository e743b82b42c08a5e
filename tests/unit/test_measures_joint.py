"""Measures that join structures: stenosis, Torg-Pavlov, segments, slopes, concavity, and the coil's fall-off."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.chain_spine import ChainSpine, Link, body, disc, render
from support.spines.solid_spine import rotation

from wirbel.core.geometry import Volume
from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.measures import measure
from wirbel.core.measures.shape.joint import largest_slip_columns, stenosis_columns

L3, L4, L5 = (LEVEL_LABELS[name] for name in ("L3", "L4", "L5"))


def level(name, narrowest):
    row = {"label": LEVEL_LABELS[name], "level": name, "canal_ap_body_mm": 14.0}
    return row | {
        "canal_ap_min_mm": narrowest,
        "canal_ap_min_status": "ok" if narrowest else "touches_border",
        "canal_ap_body_status": "ok",
    }


@pytest.mark.parametrize(
    ("name", "narrowest", "grade"),
    [
        ("C5", 13.1, 0),
        ("C5", 12.9, 1),
        ("C5", 9.9, 2),
        ("L4", 12.1, 0),
        ("L4", 11.9, 1),
        ("L4", 9.9, 2),
    ],
)
def test_a_canal_is_graded_by_its_narrowest_place(name, narrowest, grade):
    (columns,) = stenosis_columns([level(name, narrowest)], [])
    assert (columns["stenosis_grade"], columns["stenosis_status"]) == (grade, "ok")


def test_what_cannot_be_graded_says_why():
    thoracic, cut = stenosis_columns([level("T6", 9.0), level("L4", None)], [])
    assert thoracic["stenosis_status"] == "not_defined_at_level"
    assert cut["stenosis_grade"] is None and cut["stenosis_status"] == "touches_border"
    assert cut["torg_pavlov_status"] == "not_defined_at_level"


def test_the_torg_pavlov_ratio_is_canal_over_body():
    bodies = [{"label": LEVEL_LABELS["C5"], "depth_middle_mm": 17.5, "height_status": "ok"}]
    columns, without = stenosis_columns([level("C5", 12.0), level("C6", 12.0)], bodies)
    assert columns["torg_pavlov_ratio"] == pytest.approx(0.8)
    assert without["torg_pavlov_ratio"] is None and without["torg_pavlov_status"] == "absent"


def slips(**of_levels) -> list[dict]:
    """Return rows of discs; a slip is a number of mm, or the status that explains why there is none."""
    return [
        {"level": name.replace("_", "-"), "slip_mm": None, "slip_status": slip}
        if isinstance(slip, str)
        else {"level": name.replace("_", "-"), "slip_mm": slip, "slip_status": "ok"}
        for name, slip in of_levels.items()
    ]


def test_the_largest_slip_keeps_its_sign():
    columns = largest_slip_columns(slips(L3_L4="touches_border", L4_L5=2.0, L5_S1=-3.5))
    assert (columns["largest_slip_mm"], columns["largest_slip_level"]) == (-3.5, "L5-S1")
    assert columns["slip_status"] == "ok"
    assert largest_slip_columns([])["slip_status"] == "not_in_view"


@pytest.mark.parametrize(
    "rows",
    [
        slips(L2_L3=1.0, L3_L4="touches_border", L4_L5="touches_border", L5_S1=0.5),
        slips(L2_L3=1.0, L4_L5=0.5),  # no disc L3-L4 was found
        slips(L3_L4=0.5, L4_L5=1.0, L5_S1="surface_incomplete"),
    ],
    ids=["leaves the slices", "disc missing", "fails at the end, in full view"],
)
def test_the_largest_slip_says_where_a_larger_one_may_have_been_missed(rows):
    columns = largest_slip_columns(rows)
    assert (columns["largest_slip_mm"], columns["slip_status"]) == (1.0, "some_missing")


def test_an_extra_vertebra_is_no_gap_and_neither_is_the_end_of_the_view():
    rows = slips(T11_T12="no_neighbour", T12_T13=1.0, T13_L1=2.0, L1_L2=0.5, L2_L3="touches_border")
    assert largest_slip_columns(rows)["slip_status"] == "ok"


@pytest.fixture(scope="module")
def lordotic():
    """Bodies higher in front by 2 mm of 30, discs by 3 mm of 34; the whole chain leans forwards by 5 degrees."""
    links = [x for v in (L3, L4, L5) for x in (Link(v, 25, 27, 30, 42), disc(v, 7, 10))]
    spine = ChainSpine(links, sacrum=True)
    return spine, measure(None, *render(spine, pose=rotation(5, 0, 0)))


def test_a_segment_opens_by_both_bodies_and_their_disc(lordotic):
    spine, measured = lordotic
    one, gap = spine.links[0].wedge_deg, spine.links[1].wedge_deg
    rows = {row["level"]: row for row in measured.discs}
    assert rows["L3-L4"]["segment_angle_deg"] == pytest.approx(2 * one + gap, abs=2)
    assert rows["L5-S1"]["segment_angle_deg"] == pytest.approx(one + gap, abs=2)


def test_the_sacrum_slopes_as_far_as_the_chain_has_bent(lordotic):
    """The frames of the chain pitch backwards going down, and the pose turns all of it."""
    spine, measured = lordotic
    forward = rotation(5, 0, 0) @ spine.end()[1][:, 1]
    slope = np.rad2deg(np.arctan2(-forward[2], forward[1]))
    assert measured.scan["sacral_slope_deg"] == pytest.approx(slope, abs=1.5)
    assert measured.scan["t1_slope_status"] == "not_in_view"


def test_a_hollow_body_has_half_its_hollow_at_either_endplate():
    links = [body(L3, 26, middle_mm=20.0), disc(L3, 9, 9), body(L4, 26)]
    hollow, flat = measure(None, *render(ChainSpine(links))).vertebrae
    rims = links[0].height_at(np.array([0.08, 0.92])).mean()
    for name in ("concavity_upper_mm", "concavity_lower_mm"):
        assert hollow[name] == pytest.approx((rims - 20) / 2, abs=0.4)
        assert flat[name] == pytest.approx(0, abs=0.3)


def test_the_fall_off_of_a_coil_is_taken_out_of_the_ratios():
    """Marrow has half the fluid's signal; the coil behind loses a factor e within 100 mm."""
    links = [x for v in (L3, L4, L5) for x in (body(v, 26), disc(v, 9, 9))]
    subregion, vertebra = render(ChainSpine(links, sacrum=True))
    signal = np.where(np.isin(subregion.data, (60, 61)), 1000.0, 500.0)
    forwards = subregion.grid.to_world(np.indices(signal.shape).reshape(3, -1).T)[:, 1]
    image = Volume(signal * np.exp(-forwards.reshape(signal.shape) / 100), subregion.affine)
    for row in measure(image, subregion, vertebra).vertebrae:
        assert row["body_to_csf_ratio"] < 0.42
        assert row["body_to_csf_corrected_ratio"] == pytest.approx(0.5, abs=0.02)
        assert row["body_corrected_status"] == "ok"
