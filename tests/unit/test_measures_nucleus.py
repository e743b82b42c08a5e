"""Nucleus, annulus and marrow of drawn spines whose brightness is known everywhere."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from support.spines.chain_spine import ChainSpine, body, disc
from support.spines.chain_spine import render as render_chain
from support.spines.solid_spine import SolidSpine, render, rotation

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.measures import measure
from wirbel.core.measures.frames import region_of_mask
from wirbel.core.measures.signal.marrow import heterogeneity_percent, spread_of
from wirbel.core.measures.signal.signals import Picture

MARROW, ANNULUS, FLUID, CORD = 150.0, 60.0, 600.0, 250.0
POSE = rotation(6, 3, 2)
MAPS = render(SolidSpine(), pose=POSE)


def image_of(maps, nucleus: float = ANNULUS, falloff_mm: float = np.inf) -> Volume:
    """Return the picture of a spine whose discs have a nucleus in the middle half of their depth."""
    subregion = maps[0].data
    image = np.full(subregion.shape, 400.0)
    for value, labels in (
        (MARROW, (L.BODY, L.BODY_BORDER)),
        (ANNULUS, (L.DISC,)),
        (FLUID, (L.CANAL,)),
        (CORD, (L.CORD,)),
    ):
        image[np.isin(subregion, labels)] = value
    index = np.argwhere(subregion == L.DISC)
    local = (maps[0].grid.to_world(index) - (0, 0, -17.0)) @ POSE
    inner = index[np.abs(local[:, 1]) < SolidSpine().depth_mm / 4]
    image[tuple(inner.T)] = nucleus
    ahead = maps[0].grid.to_world(np.indices(image.shape).reshape(3, -1).T)[:, 1]
    return maps[0].with_data(image * np.exp(-ahead.reshape(image.shape) / falloff_mm))


def disc_of(image: Volume | None) -> dict:
    return measure(image, *MAPS).discs[0]


def test_a_bright_nucleus_in_a_dark_annulus():
    row = disc_of(image_of(MAPS, nucleus=300.0))
    assert row["nucleus_status"] == "ok"
    assert row["nucleus_to_csf_ratio"] == pytest.approx(300 / FLUID, abs=0.001)
    assert row["annulus_to_csf_ratio"] == pytest.approx(ANNULUS / FLUID, abs=0.001)
    assert row["nucleus_annulus_contrast"] == pytest.approx(240 / FLUID, abs=0.001)
    assert row["disc_heterogeneity"] == pytest.approx(240 / FLUID, abs=0.001)


def test_a_black_disc_has_no_contrast_and_no_heterogeneity():
    row = disc_of(image_of(MAPS))
    assert row["nucleus_annulus_contrast"] == row["disc_heterogeneity"] == 0


def test_a_coil_that_is_stronger_at_the_back_makes_no_contrast():
    """The signal halves within 55 mm: in front of the disc it is a third darker than at its back."""
    row = disc_of(image_of(MAPS, falloff_mm=80.0))
    assert abs(row["nucleus_annulus_contrast"]) < 0.005
    assert row["disc_heterogeneity"] > 0.01


def test_without_an_image_and_without_fluid_the_status_says_so():
    assert disc_of(None)["nucleus_status"] == "no_image"
    dark = image_of(MAPS)
    dark = dark.with_data(np.where(MAPS[0].data == L.CANAL, 0, dark.data))
    assert disc_of(dark)["nucleus_status"] == "dark_fluid"
    absurd = image_of(MAPS)
    absurd = absurd.with_data(np.where(MAPS[0].data == L.DISC, np.nan, absurd.data))
    row = disc_of(absurd)
    assert row["nucleus_status"] == "voxels_replaced" and row["disc_heterogeneity"] is None


def test_the_spread_of_marrow_is_that_of_its_texture_whatever_coil_and_vein_do():
    """Signals of 100 that scatter by 8 %, fall off by a third over the body, and a vein in a tenth of the voxels."""
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 30, (4000, 3))
    values = 100 + rng.normal(0, 8, 4000)
    assert heterogeneity_percent(values, points) == pytest.approx(8, rel=0.05)
    tilted = values - points[:, 1]
    expected = 100 * 8 / np.median(tilted)
    assert heterogeneity_percent(tilted, points) == pytest.approx(expected, rel=0.05)
    tilted[:400] += 200
    assert heterogeneity_percent(tilted, points) == pytest.approx(expected, rel=0.2)
    assert heterogeneity_percent(np.full(100, 7.0), points[:100]) == 0


THICK_SLICES = np.diag([0.86, 0.86, 3.3, 1.0])


def marrow_spread(values: np.ndarray, affine: np.ndarray = THICK_SLICES) -> float:
    """Return the heterogeneity of a body of 18 x 16 x 20 mm, as in the neck, whose voxels have these signals."""
    mask = np.zeros(values.shape, bool)
    mask[2:-2, 2:-2, 2:-2] = True
    region = region_of_mask(mask, (slice(0, n) for n in mask.shape), Volume(mask, affine))
    return spread_of(Picture(np.where(mask, values, 20.0), None, True), region)[0]


SMALL = (25, 23, 12)


def test_noise_of_single_voxels_is_no_heterogeneity():
    """A tenth of noise in even marrow: averaged over nine voxels it would read 3.3 %."""
    noise, texture = np.random.default_rng(1).normal(0, 10, (2, *SMALL))
    assert marrow_spread(100 + noise) < 1.2
    texture = gaussian_filter(texture, (2, 2, 0.5))
    coarse = 100 + 10 * texture / texture.std()
    still, noisy = marrow_spread(coarse), marrow_spread(coarse + noise)
    assert still > 5 and noisy == pytest.approx(still, abs=1.2)


def test_a_vein_is_no_heterogeneity_in_a_small_body():
    """It is three times as bright, and takes a fifteenth of the inner voxels: their neighbours' means hold it."""
    noise = np.random.default_rng(2).normal(0, 4, SMALL)
    vein = np.zeros(SMALL)
    vein[10:15, 8:10, 4:8] = 200
    assert marrow_spread(100 + noise + vein) == pytest.approx(marrow_spread(100 + noise), abs=0.7)


def test_black_marrow_has_no_spread():
    image = image_of(MAPS)
    black = image.with_data(np.where(MAPS[0].data == L.BODY_BORDER, 0, image.data))
    row = measure(black, *MAPS).vertebrae[0]
    assert (row["body_heterogeneity_percent"], row["heterogeneity_status"]) == (None, "dark_marrow")


@pytest.fixture(scope="module")
def lumbar():
    """L1 to L5 on a sacrum; the marrow of L1 to L4 is 100, 120, 140 and 200, fluid 500 at L3 and 800 elsewhere."""
    first = L.LEVEL_LABELS["L1"]
    links = [x for v in range(first, first + 5) for x in (body(v, 26), disc(v, 9, 9))]
    maps = render_chain(ChainSpine(links, sacrum=True, cord=None))
    image = np.full(maps[0].data.shape, 30.0)
    image[maps[0].data == L.CANAL] = 800.0
    height = maps[0].grid.to_world(np.indices(image.shape).reshape(3, -1).T)[:, 2]
    at_l3 = np.abs(height.reshape(image.shape) + 2 * 35 + 13) < 14
    image[(maps[0].data == L.CANAL) & at_l3] = 500.0
    for label, signal in zip(range(first, first + 5), (100, 120, 140, 200, 999), strict=True):
        image[(maps[1].data == label) & (maps[0].data == L.BODY_BORDER)] = signal
    return maps, maps[0].with_data(image)


def test_the_bone_quality_score_is_the_median_of_four_bodies_over_the_fluid_at_l3(lumbar):
    maps, image = lumbar
    scan = measure(image, *maps).scan
    assert scan["vbq_status"] == "ok"
    assert scan["vbq_t2_to_csf_ratio"] == pytest.approx(130 / 500, abs=0.001)


def test_black_marrow_has_no_bone_quality_score(lumbar):
    maps, image = lumbar
    l2 = (maps[1].data == L.LEVEL_LABELS["L2"]) & (maps[0].data == L.BODY_BORDER)
    scan = measure(image.with_data(np.where(l2, 0, image.data)), *maps).scan
    assert scan["vbq_t2_to_csf_ratio"] is scan["vbq_t2_to_csf_corrected_ratio"] is None
    assert scan["vbq_status"] == "dark_marrow"


def test_the_bone_quality_score_needs_all_four_bodies(lumbar):
    maps, image = lumbar
    l2 = maps[1].data == L.LEVEL_LABELS["L2"]
    less = [volume.with_data(np.where(l2, 0, volume.data)) for volume in maps]
    scan = measure(image, *less).scan
    assert (scan["vbq_t2_to_csf_ratio"], scan["vbq_status"]) == (None, "not_in_view")
    assert measure(None, *maps).scan["vbq_status"] == "no_image"


def test_noise_of_cubes_does_not_depend_on_the_order_of_axes():
    """Noise that is smooth along one direction is measured in sagittal planes, however they are stored."""
    noise = np.random.default_rng(3).normal(0, 30, (24, 22, 20))
    values = 100 + gaussian_filter(noise, (0, 0, 1))
    found = []
    for order in permutations(range(3)):
        affine = np.eye(4)
        affine[:3, :3] = np.eye(3)[:, order]
        found.append(marrow_spread(values.transpose(order), affine))
    assert found == pytest.approx([found[0]] * 6, rel=1e-9)
