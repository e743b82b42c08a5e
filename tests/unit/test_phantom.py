"""The phantom: reproducible, complete, and its truth agrees with the label maps it draws."""

from dataclasses import replace

import numpy as np
import pytest

from wirbel.core import labels as L
from wirbel.core.geometry import MODEL_AXES, Grid, reorient
from wirbel.phantom import REGIONS, make_phantom
from wirbel.phantom.imaging import tissues as T
from wirbel.phantom.imaging.contrast import sample_contrast
from wirbel.phantom.imaging.raster import LIGAMENT_MM, rasterise
from wirbel.phantom.imaging.water_contrast import sample_water_contrast
from wirbel.phantom.person.anatomy import sample_anatomy, sample_levels
from wirbel.phantom.person.discs import disc_frame
from wirbel.phantom.person.shapes import Body, rod


@pytest.fixture(scope="module")
def lumbar():
    return make_phantom(5, "lumbar", in_plane_mm=1.2, slice_mm=3.3)


def small(seed, region="lumbar", **options):
    return make_phantom(seed, region, in_plane_mm=2.5, slice_mm=5.0, with_truth=False, **options)


def test_the_same_seed_gives_the_same_bytes():
    one, other = small(3), small(3)
    assert one.image.data.tobytes() == other.image.data.tobytes()
    assert one.subregion.data.tobytes() == other.subregion.data.tobytes()
    assert (one.image.affine == other.image.affine).all()


def test_another_seed_gives_another_person():
    one, other = small(3), small(4)
    assert one.anatomy.vertebrae[0].body != other.anatomy.vertebrae[0].body


def test_storage_order_moves_no_voxel_in_the_world():
    left_handed, usual = small(3, axes=("L", "A", "S")), small(3, axes=MODEL_AXES)
    assert np.linalg.det(usual.image.affine) * np.linalg.det(left_handed.image.affine) < 0
    turned = reorient(left_handed.subregion, MODEL_AXES)
    np.testing.assert_array_equal(turned.data, usual.subregion.data)
    np.testing.assert_allclose(turned.affine, usual.subregion.affine, atol=1e-9)


def test_every_structure_of_the_label_table_is_drawn(lumbar):
    """The models write the body as one label, 49, and so does the phantom."""
    expected = set(L.SUBREGION_NAMES) - {L.BODY}
    assert set(np.unique(lumbar.subregion.data)) - {0} == expected


def test_a_whole_spine_reaches_from_c2_to_the_sacrum():
    labels = set(np.unique(small(2, "whole").vertebra.data))
    assert {2, 8, 20, L.SACRUM, L.DISC_OFFSET + 2, L.ENDPLATE_OFFSET + 20} <= labels


def test_both_maps_agree_about_what_is_vertebra(lumbar):
    subregion, vertebra = lumbar.subregion.data, lumbar.vertebra.data
    is_vertebra = np.isin(subregion, L.VERTEBRA_SUBREGIONS)
    np.testing.assert_array_equal(is_vertebra, (vertebra > 0) & (vertebra < 29) & (vertebra != 26))
    np.testing.assert_array_equal(subregion == L.DISC, (vertebra > 100) & (vertebra < 200))
    np.testing.assert_array_equal(subregion == L.ENDPLATE, vertebra > 200)


def test_left_is_left(lumbar):
    index = {s: np.argwhere(lumbar.subregion.data == s).mean(0) for s in (43, 44, 47, 48)}
    right_of = {s: lumbar.subregion.grid.to_world(i)[0] for s, i in index.items()}
    assert right_of[43] < right_of[44] and right_of[47] < right_of[48]  # x grows to the right


def test_true_volumes_match_the_voxels_of_complete_structures(lumbar):
    cell = np.prod(lumbar.vertebra.spacing_mm)
    rows = [row for row in lumbar.truth["vertebrae"] if row["body_fully_visible"]]
    assert len(rows) >= 4
    for row in rows:
        mine = lumbar.vertebra.data == row["label"]
        body = mine & (lumbar.subregion.data == L.BODY_BORDER)
        assert body.sum() * cell == pytest.approx(row["body_volume_mm3"], rel=0.06)
    for row in lumbar.truth["discs"]:
        if row["fully_visible"]:
            voxels = (lumbar.vertebra.data == L.DISC_OFFSET + row["label_above"]).sum()
            assert voxels * cell == pytest.approx(row["disc_volume_mm3"], rel=0.1)


def test_true_centroids_match_the_voxels(lumbar):
    for row in lumbar.truth["vertebrae"]:
        if row["fully_visible"]:
            mine = np.argwhere(lumbar.vertebra.data == row["label"])
            measured = lumbar.vertebra.grid.to_world(mine.mean(0))
            truth = [row[f"centroid_{axis}_mm"] for axis in "xyz"]
            np.testing.assert_allclose(measured, truth, atol=0.8)


def test_heights_of_a_body_without_concavity_are_those_of_its_trapezoid():
    body = Body(30, 40, 20, 26, (0.0, 0.0), 0.0, 0.1, 0.0, 2.4)
    assert body.height_at_mm(0.5) == pytest.approx(23.0)
    assert body.height_at_mm(0.85) == pytest.approx(26 - 0.85 * 6)
    assert body.height_at_mm(0.15) == pytest.approx(26 - 0.15 * 6)


def test_concave_endplates_lower_the_middle_by_their_dips():
    body = Body(30, 40, 25, 25, (1.0, 2.0), 0.0, 0.0, 0.0, 2.0)
    assert body.height_at_mm(0.5) == pytest.approx(25 - 3.0)


def test_a_rod_ends_where_it_is_told_to():
    shape = rod((0, 0, 0), (0, -30, 0), (3.0, 5.0), (1, 0, 0))
    at = [tuple(np.array([c]) for c in p) for p in ((0, -0.1, 0), (0, -30.1, 0), (2.9, -15, 0))]
    inside = [bool(shape.signed_mm(p)[0] < 0) for p in at]
    assert inside == [True, False, True]


def test_numbers_of_vertebrae_vary_as_in_people():
    rng = np.random.default_rng(0)
    lengths = [len(sample_levels(rng)) for _ in range(400)]
    assert set(lengths) == {22, 23, 24}
    assert 0.82 < lengths.count(23) / 400 < 0.94


def test_bodies_are_stacked_without_overlap():
    """Each disc keeps some height everywhere, so that no voxel belongs to two bodies."""
    for seed in range(3):
        anatomy = sample_anatomy(np.random.default_rng(seed))
        for upper, lower in zip(anatomy.vertebrae, anatomy.vertebrae[1:], strict=False):
            gap = np.linalg.norm(upper.centre_mm - lower.centre_mm)
            assert gap > (upper.body.height_mm + lower.body.height_mm) / 2


def test_drawing_does_not_depend_on_the_lattice():
    """The same anatomy on two lattices: a voxel's label is that of its centre."""
    anatomy = sample_anatomy(np.random.default_rng(1))
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = anatomy.vertebrae[-1].centre_mm - 40
    fine = affine.copy()
    fine[:3, :3] /= 2
    coarse_map = rasterise(anatomy, Grid((40, 40, 40), affine)).subregion
    fine_map = rasterise(anatomy, Grid((80, 80, 80), fine)).subregion
    np.testing.assert_array_equal(fine_map[::2, ::2, ::2], coarse_map)


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_shows_several_vertebrae(region):
    numbers = np.unique(small(8, region).vertebra.data)
    assert ((numbers > 0) & (numbers < 29) & (numbers != 26)).sum() >= 4


def test_an_unknown_region_is_refused():
    with pytest.raises(ValueError, match="expected one of whole, cervical"):
        make_phantom(1, "tail")


def test_model_grid_labels_follow_the_scan():
    phantom = small(6, axes=MODEL_AXES, model_grid_spacing_mm=(2.0, 2.0, 4.0))
    assert phantom.model_subregion.axes == MODEL_AXES
    np.testing.assert_allclose(phantom.model_subregion.spacing_mm, (2, 2, 4))
    body = np.argwhere(phantom.model_subregion.data == 49).mean(0)
    same = np.argwhere(phantom.subregion.data == 49).mean(0)
    distance = phantom.model_subregion.grid.to_world(body) - phantom.subregion.grid.to_world(same)
    assert np.linalg.norm(distance) < 1.5


@pytest.mark.parametrize("bulge_mm", [0.0, 2.5])
def test_the_ligament_follows_a_bulging_disc(bulge_mm):
    """Along a line forward from the disc's middle: disc up to its rim, then so much ligament, then what lies ahead."""
    anatomy = sample_anatomy(np.random.default_rng(3))
    k = [vertebra.level for vertebra in anatomy.vertebrae].index("L3")
    discs = list(anatomy.discs)
    discs[k] = replace(discs[k], bulge_mm=bulge_mm)
    gap = disc_frame(anatomy, k)
    step = 0.1
    matrix = np.eye(4)
    matrix[:3, :3] = gap.rotation * step
    matrix[:3, 3] = gap.centre_mm
    ahead = Grid((1, 300, 1), matrix)
    drawn = rasterise(
        replace(anatomy, discs=tuple(discs)), ahead, np.full((1, 300, 1), T.FAT, np.uint8)
    )
    rim = (drawn.subregion == L.DISC).sum() * step
    ligament = (drawn.tissue == T.LIGAMENT).sum() * step
    assert rim == pytest.approx(gap.depth_mm / 2 + bulge_mm, abs=0.2)
    assert ligament == pytest.approx(LIGAMENT_MM, abs=0.3)
    assert drawn.tissue[0, -1, 0] == T.FAT


def test_an_eighth_of_training_scans_gets_contrasts_beyond_scanners():
    anatomy = sample_anatomy(np.random.default_rng(1))

    def changed(seed):
        usual, wide = (
            sample_contrast(np.random.default_rng(seed), anatomy, flag) for flag in (False, True)
        )
        return not np.array_equal(usual.mean, wide.mean)

    assert 0.06 < np.mean([changed(seed) for seed in range(300)]) < 0.18


def test_water_images_show_no_fat_and_hardly_tell_muscle_disc_and_cord_apart():
    anatomy = sample_anatomy(np.random.default_rng(1))
    for seed in range(50):
        mean = sample_water_contrast(np.random.default_rng(seed), anatomy).mean
        fat = max(mean[[T.FAT, T.SUBCUTANEOUS_FAT, T.EPIDURAL_FAT]])
        nuclei = mean[T.NUCLEUS : T.NUCLEUS + len(anatomy.discs)]
        marrow = mean[T.MARROW : T.MARROW + len(anatomy.vertebrae)]
        assert fat < 0.2 < mean[T.MUSCLE] and mean[T.CORTEX] < marrow.min()
        assert 0.3 < np.median(nuclei) / mean[T.MUSCLE] < 2.1
        assert 0.6 < mean[T.CORD] / mean[T.MUSCLE] < 2
