"""Strange maps: nothing crashes, nothing warns, and every missing value has its reason."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.spines.rows import hold
from support.spines.solid_spine import L3, L4, SolidSpine, render, rotation

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.measures import measure
from wirbel.core.plausibility.scan_flags import SCAN_FLAGS
from wirbel.core.plausibility.whole.check import ImplausibleResult, check_whole_result


def check(subregion, vertebra, affine=None, image=True):
    """Measure, with an image of ones; hold every row to its table's declared status columns."""
    affine = np.diag([3.3, 0.86, 0.86, 1]) if affine is None else affine
    maps = [Volume(np.asarray(data, np.uint8), affine) for data in (subregion, vertebra)]
    picture = Volume(np.ones(maps[0].data.shape, np.float32), affine) if image else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured = measure(picture, *maps)
        look_at_the_whole(maps, measured)
    for table in ("vertebrae", "discs", "levels"):
        for row in getattr(measured, table):
            hold(table, row)
    hold("scans", measured.scan)
    return measured


def look_at_the_whole(maps, measured):
    """Whatever the maps hold, the answer is flags or a refusal in words."""
    try:
        assert set(check_whole_result(*maps, measured.vertebrae)) <= SCAN_FLAGS.keys()
    except ImplausibleResult as refusal:
        assert "vertebral bodies found" in str(refusal)


@pytest.fixture(scope="module")
def solid():
    maps = render(SolidSpine(), (3.3, 1.2, 1.2), rotation(5, 3, 0))
    return maps[0].data, maps[1].data


GRID = np.diag([3.3, 1.2, 1.2, 1.0])


def without(solid, *chosen):
    """Return both maps without the voxels of some subregions."""
    gone = np.isin(solid[0], chosen)
    return [np.where(gone, 0, data) for data in solid]


def only(solid, mask):
    return [np.where(mask, data, 0) for data in solid]


def test_empty_maps():
    measured = check(np.zeros((5, 6, 7)), np.zeros((5, 6, 7)))
    assert measured.vertebrae == measured.discs == measured.levels == []


def test_one_vertebra_alone(solid):
    measured = check(*only(solid, solid[1] % 200 == L4), GRID)
    (row,) = measured.vertebrae
    assert row["height_status"] == "no_canal" and row["crush_status"] == "no_canal"


def test_one_vertebra_with_its_canal(solid):
    near = (solid[1] % 200 == L4) | np.isin(solid[0], (L.CANAL, L.CORD))
    (row,) = check(*only(solid, near), GRID).vertebrae
    assert row["height_status"] == "ok" and row["crush_status"] == "no_neighbour"


def test_a_vertebra_without_an_arch(solid):
    row = check(*without(solid, L.ARCUS), GRID).vertebrae[0]
    assert row["height_status"] == "ok" and row["arcus_vertebrae_volume_mm3"] == 0


def test_discs_only(solid):
    measured = check(*only(solid, solid[0] == L.DISC), GRID)
    assert measured.vertebrae == [] and measured.discs[0]["disc_height_status"] == "no_canal"


def test_discs_and_canal_only(solid):
    kept = np.isin(solid[0], (L.DISC, L.CANAL, L.CORD))
    (disc,) = check(*only(solid, kept), GRID).discs
    assert disc["disc_height_status"] == "ok"
    assert disc["disc_index_status"] == disc["slip_status"] == "no_neighbour"


def test_canal_only(solid):
    scan = check(*only(solid, solid[0] == L.CANAL), GRID).scan
    assert scan["canal_volume_mm3"] > 0 and scan["cord_volume_mm3"] is None


def test_bodies_without_endplates(solid):
    assert check(*without(solid, L.ENDPLATE), GRID).vertebrae[0]["height_status"] == "ok"


def test_fused_vertebrae(solid):
    """The disc and its endplates are bone, and all of it is one vertebra."""
    subregion, vertebra = solid[0].copy(), solid[1].copy()
    subregion[np.isin(subregion, (L.DISC, L.ENDPLATE))] = L.BODY
    vertebra[vertebra > 0] = L3
    assert len(check(subregion, vertebra, GRID).vertebrae) == 1


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_one_layer_of_voxels(solid, axis):
    middle = [slice(None)] * 3
    middle[axis] = slice(solid[0].shape[axis] // 2, solid[0].shape[axis] // 2 + 1)
    check(*(data[tuple(middle)] for data in solid), GRID)


@pytest.mark.parametrize("size", [(1, 1, 2), (2, 1, 1), (1, 2, 1), (1, 1, 1), (2, 2, 2)])
def test_bodies_of_two_voxels(size):
    subregion, vertebra = np.zeros((7, 24, 30)), np.zeros((7, 24, 30))
    for label, top in ((20, 24), (21, 18), (22, 12), (23, 6)):
        box = tuple(slice(c, c + n) for c, n in zip((3, 14, top), size, strict=True))
        subregion[box], vertebra[box] = L.BODY, label
        disc = tuple(slice(c, c + n) for c, n in zip((3, 14, top - 3), size, strict=True))
        subregion[disc], vertebra[disc] = L.DISC, L.DISC_OFFSET + label
    subregion[2:5, 4:8] = L.CANAL
    check(subregion, vertebra)


@pytest.mark.parametrize("canal", [np.s_[:, :, 90:], np.s_[:, :20], np.s_[:, 60:], np.s_[:5]])
def test_a_canal_that_is_not_where_canals_are(solid, canal):
    subregion = np.where(np.isin(solid[0], (L.CANAL, L.CORD)), 0, solid[0])
    subregion[canal] = np.where(subregion[canal] == 0, L.CANAL, subregion[canal])
    check(subregion, solid[1], GRID)


def test_a_left_handed_oblique_affine(solid):
    oblique = np.eye(4)
    oblique[:3, :3] = rotation(35, -25, 60) @ np.diag([-1.0, 1, 1]) @ GRID[:3, :3]
    oblique[:3, 3] = (-300, 1000, 5)
    row = check(*solid, oblique).vertebrae[0]
    assert row["height_middle_mm"] == pytest.approx(26, abs=0.9)


def test_discs_that_lie_where_the_next_vertebra_is_missing(solid):
    """The vertebra below is labelled in one map only."""
    vertebra = np.where(solid[1] == L4, 0, solid[1])
    assert check(solid[0], vertebra, GRID).discs[0]["slip_status"] == "no_neighbour"


VALUES = (0, 0, 0, L.BODY, L.BODY, L.ENDPLATE, L.DISC, L.CANAL, L.CORD, L.ARCUS, L.SACRUM)
NUMBERS = (
    0,
    0,
    2,
    3,
    L3,
    L4,
    24,
    L.SACRUM,
    L.DISC_OFFSET + L3,
    L.DISC_OFFSET + 24,
    L.DISC_OFFSET + 2,
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    arrays.arrays(np.uint8, (3, 4, 5), elements=st.sampled_from(VALUES)),
    arrays.arrays(np.uint8, (3, 4, 5), elements=st.sampled_from(NUMBERS)),
    st.integers(1, 4),
)
def test_any_maps_at_all(subregion, vertebra, size):
    """Blocks of labels in any arrangement, also where the two maps contradict each other."""
    big = [np.kron(data, np.ones((1, size, size), np.uint8)) for data in (subregion, vertebra)]
    check(*big)


def test_without_the_image_there_are_no_ratios(solid):
    row = check(*solid, GRID, image=False).vertebrae[0]
    assert row["body_to_csf_ratio"] is None and row["body_signal_status"] == "no_image"
