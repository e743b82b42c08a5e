"""Measures of bodies and discs whose size is known from a formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spines.solid_spine import L3, L4, SolidSpine, render, rotation

from wirbel.core.geometry import Volume, reorient
from wirbel.core.measures import measure

HEIGHTS = {"height_posterior_mm": 0.15, "height_middle_mm": 0.5, "height_anterior_mm": 0.85}
FINE = (1.0, 1.0, 1.0)
COHORT_GRID = (3.3, 0.86, 0.86)
THICK = (4.4, 0.8, 0.8)


def rows(subregion, vertebra):
    return {row["label"]: row for row in measure(None, subregion, vertebra).vertebrae}


def height_errors(spine, **how):
    row = rows(*render(spine, **how))[L3]
    return np.array([row[name] - spine.height_at(at) for name, at in HEIGHTS.items()])


def test_a_box_whose_faces_lie_between_voxels_is_measured_exactly():
    # 26 mm on a 1 mm lattice: even numbers of voxels, centres at half mm, so 26 layers of them lie inside
    spine = SolidSpine(width_mm=40, depth_mm=30, height_mm=26, disc_mm=8)
    row = rows(*render(spine, FINE))[L3]
    assert [row[name] for name in HEIGHTS] == pytest.approx([26, 26, 26], abs=1e-6)
    assert row["body_volume_mm3"] == pytest.approx(40 * 30 * 24)  # without two endplates of 1 mm
    assert row["height_status"] == row["body_status"] == "ok"


def test_the_centroid_of_a_box_is_where_it_was_put():
    row = rows(*render(SolidSpine(), FINE, centre_mm=(1.0, 2.0, -3.0)))[L3]
    position = [row[f"body_centroid_{axis}_mm"] for axis in "xyz"]
    assert position == pytest.approx([1, 2, -3], abs=0.01)


def test_a_wedge_is_lower_in_front():
    spine = SolidSpine(wedge=-0.25)  # 26 mm in the middle, 26 -+ 0.25 * 10.5 at 85 and 15 %
    row = rows(*render(spine))[L3]
    assert row["height_anterior_mm"] == pytest.approx(23.4, abs=0.4)
    assert row["height_middle_mm"] == pytest.approx(26.0, abs=0.4)
    assert row["height_posterior_mm"] == pytest.approx(28.6, abs=0.4)


def test_shear_does_not_change_the_height():
    # the endplates stay parallel, 26 mm apart; only the walls slant by 0.2 mm per mm
    assert np.abs(height_errors(SolidSpine(shear=0.2), spacing_mm=FINE)).max() < 0.3


def test_an_elliptic_cylinder_has_its_volume():
    spine = SolidSpine(elliptic=True, plate_mm=1.0)
    expected = np.pi / 4 * 40 * 30 * 24
    for spacing in (FINE, COHORT_GRID, THICK):
        row = rows(*render(spine, spacing, rotation(10, 5, 5)))[L3]
        assert row["body_volume_mm3"] == pytest.approx(expected, rel=0.03)


def test_the_disc_between_is_8_mm_high_and_wedged_the_other_way():
    spine = SolidSpine(
        wedge=-0.1, elliptic=True
    )  # the gap opens by 0.1 mm per mm of depth towards the front
    disc = measure(None, *render(spine, pose=rotation(12, 4, 0))).discs
    assert len(disc) == 1 and disc[0]["level"] == "L3-L4"
    assert disc[0]["disc_height_mm"] == pytest.approx(8.0, abs=0.4)
    assert disc[0]["disc_height_anterior_mm"] == pytest.approx(8.0 + 0.1 * 10.5, abs=0.5)
    assert disc[0]["disc_height_posterior_mm"] == pytest.approx(8.0 - 0.1 * 10.5, abs=0.5)
    assert disc[0]["disc_volume_mm3"] == pytest.approx(np.pi / 4 * 40 * 30 * 8, rel=0.03)


def test_a_thin_disc_is_still_measured():
    spine = SolidSpine(width_mm=24, depth_mm=17, height_mm=15, disc_mm=3)
    (disc,) = measure(None, *render(spine, pose=rotation(15, 5, 3))).discs
    assert disc["disc_height_status"] == "ok"
    assert disc["disc_height_mm"] == pytest.approx(3.0, abs=0.4)


@settings(max_examples=8, deadline=None)
@given(
    st.floats(-40, 40),
    st.floats(-20, 20),
    st.floats(-15, 15),
    st.tuples(*[st.floats(-1.7, 1.7)] * 3),
    st.sampled_from([COHORT_GRID, THICK, FINE]),
)
def test_heights_hold_at_any_rotation(pitch, lean, turn, centre, spacing):
    # one scan may be off by a voxel where endplates lie along the grid's axes: then every column of
    # voxels ends at the same layer, and nothing tells where between two layers the surface is
    errors = height_errors(
        SolidSpine(), spacing_mm=spacing, pose=rotation(pitch, lean, turn), centre_mm=centre
    )
    assert np.abs(errors).max() < max(spacing[1:])


@pytest.mark.parametrize("lean", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("turn", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("pitch", [0.0, 10.0])
def test_a_narrow_body_in_two_or_three_thick_slices_stays_upright(pitch, lean, turn):
    """Its middle slice says nothing about the endplates' tilt to the side: once, the width was taken for the height."""
    spine = SolidSpine(width_mm=13, depth_mm=15, height_mm=16, disc_mm=5)
    errors = height_errors(spine, spacing_mm=THICK, pose=rotation(pitch, lean, turn))
    assert np.abs(errors).max() < 1.2


@pytest.mark.parametrize("spacing", [COHORT_GRID, THICK])
def test_heights_are_unbiased_over_many_poses(spacing):
    rng = np.random.default_rng(5)
    errors = []
    for _ in range(10):
        spine = SolidSpine(
            width_mm=rng.uniform(20, 45),
            depth_mm=rng.uniform(16, 33),
            height_mm=rng.uniform(13, 28),
            wedge=rng.uniform(-0.3, 0.1),
            elliptic=True,
        )
        pose = rotation(rng.uniform(-35, 35), rng.uniform(-20, 20), rng.uniform(-10, 10))
        errors.append(
            height_errors(spine, spacing_mm=spacing, pose=pose, centre_mm=rng.uniform(-2, 2, 3))
        )
    assert np.abs(np.mean(errors, axis=0)).max() < 0.2
    assert np.abs(errors).mean(axis=0).max() < 0.35


@pytest.mark.parametrize("axes", ["LPS", "RAS", "PIR", "SLA", "AIL", "IPR"])
def test_storage_order_and_handedness_change_nothing(axes):
    subregion, vertebra = render(SolidSpine(wedge=-0.2), pose=rotation(10, 8, 3))
    expected = measure(None, subregion, vertebra)
    stored = measure(None, reorient(subregion, tuple(axes)), reorient(vertebra, tuple(axes)))
    for table in ("vertebrae", "discs", "levels"):
        for one, other in zip(getattr(expected, table), getattr(stored, table), strict=True):
            assert one.keys() == other.keys()
            for name, value in one.items():
                if isinstance(value, float):
                    value = pytest.approx(value, rel=1e-6, abs=1e-6)
                assert other[name] == value, name


def test_the_mirror_image_has_the_mirrored_measures():
    pose = rotation(10, 8, 3)
    subregion, vertebra = render(SolidSpine(wedge=-0.2), pose=pose)
    flip = np.diag([-1.0, 1, 1, 1])
    expected = measure(None, subregion, vertebra)
    found = measure(None, *(Volume(v.data, flip @ v.affine) for v in (subregion, vertebra)))
    for table in ("vertebrae", "discs", "levels"):
        for one, other in zip(getattr(expected, table), getattr(found, table), strict=True):
            for name, value in one.items():
                if isinstance(value, float):
                    turned = name.endswith("centroid_x_mm") or name == "coronal_wedge_angle_deg"
                    value = pytest.approx(-value if turned else value, rel=2e-3, abs=2e-3)
                assert other[name] == value, name


def test_an_oblique_affine_moves_the_centroid_and_nothing_else():
    subregion, vertebra = render(SolidSpine(wedge=-0.2))
    oblique = np.eye(4)
    oblique[:3, :3] = rotation(20, -15, 30)
    oblique[:3, 3] = (100, -250, 40)
    moved = [Volume(v.data, oblique @ v.affine) for v in (subregion, vertebra)]
    before, after = rows(subregion, vertebra)[L4], rows(*moved)[L4]
    for name in (*HEIGHTS, "body_volume_mm3", "vertebra_volume_mm3"):
        assert after[name] == pytest.approx(before[name], rel=1e-6)
    was = np.array([before[f"centroid_{axis}_mm"] for axis in "xyz"])
    now = np.array([after[f"centroid_{axis}_mm"] for axis in "xyz"])
    np.testing.assert_allclose(now, oblique[:3, :3] @ was + oblique[:3, 3], atol=1e-6)
