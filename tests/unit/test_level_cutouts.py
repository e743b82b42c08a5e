"""The labelling network's input: where it lies, how it is scaled, and that storage order plays no part."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.geometry import Volume, reorient
from wirbel.core.labelling.level_cutouts import LevelInput, level_cutouts, normalised
from wirbel.core.labels import ARCUS, BODY, BODY_BORDER

SIZE = (32, 48, 32)


def _pir(data, spacing):
    """Return an array with axes posterior, inferior, right."""
    affine = np.zeros((4, 4))
    affine[1, 0], affine[2, 1], affine[0, 2] = -spacing[0], -spacing[1], spacing[2]
    affine[3, 3] = 1
    return Volume(data, affine)


def spine(offsets=(0, 0, 0)):
    """Return scan, vertebra and subregion map with three bodies below each other, shifted backwards by `offsets`."""
    shape = (90, 130, 12)
    scan, vertebra, subregion = (np.zeros(shape, t) for t in (np.float32, np.uint8, np.uint8))
    scan[:] = 10 + np.arange(shape[1])[None, :, None] / 10 + np.arange(shape[0])[:, None, None] / 7
    for number, (top, shift) in enumerate(zip((20, 55, 90), offsets, strict=True), start=8):
        body = (slice(30 + shift, 51 + shift), slice(top, top + 17), slice(3, 9))
        arch = (slice(51 + shift, 75 + shift), slice(top, top + 25), slice(4, 8))
        scan[body] += 50 + 10 * number
        vertebra[body] = vertebra[arch] = number
        subregion[body], subregion[arch] = (BODY if number == 9 else BODY_BORDER), ARCUS
    return _pir(scan, (1, 1, 3)), _pir(vertebra, (1, 1, 3)), _pir(subregion, (1, 1, 3))


def wanted(spacing=(1.0, 1.0, 3.0), turned=False, size=SIZE):
    return LevelInput(("P", "I", "R"), lambda scan_mm: spacing, size, turned)


def test_every_body_lies_in_the_centre_of_its_own_cutout():
    scan, vertebra, subregion = spine()
    whole = tuple(slice(0, n) for n in scan.data.shape)
    found = level_cutouts(scan, vertebra, subregion, wanted(), whole)
    assert list(found) == [8, 9, 10]
    for number, block in found.items():
        assert block.shape == SIZE and block.dtype == np.float32
        body = block > np.median(block[block != 0]) + 0.5
        centre = [int(np.median(axis)) for axis in np.nonzero(body)]
        assert np.abs(np.array(centre) - np.array(SIZE) // 2).max() <= 1, number


def test_the_arch_does_not_move_the_centre_and_a_vertebra_without_body_has_no_cutout():
    scan, vertebra, subregion = spine()
    subregion.data[vertebra.data == 9] = ARCUS
    assert list(level_cutouts(scan, vertebra, subregion, wanted())) == [8, 10]


def test_outside_the_scan_is_zero_and_does_not_count_for_the_intensities():
    scan, vertebra, subregion = spine()
    block = level_cutouts(scan, vertebra, subregion, wanted())[8]
    assert (block[:, :, :10] == 0).all() and (block[:, :, -10:] == 0).all()
    seen = block[block != 0]
    assert seen.mean() == pytest.approx(0, abs=1e-3) and seen.std() == pytest.approx(1, abs=1e-3)


def test_beyond_the_segmentation_all_is_zero_as_beyond_the_scan():
    """SPINEPS cuts the scan to the segmentation's bounding box, two voxels of 0.75 mm more."""
    scan, vertebra, subregion = spine()
    behind = 75 + 1 - (40 - SIZE[0] // 2)  # the arches end at 74, the cut-out's centre is at 40
    block = level_cutouts(scan, vertebra, subregion, wanted(size=(96, 48, 32)))[9]
    end = 75 + 1 - (40 - 96 // 2)
    assert behind > SIZE[0] and (block[end - 1, :, 16] != 0).all() and not block[end:].any()
    seen = (slice(0, 60), slice(0, 130), slice(0, 12))
    block = level_cutouts(scan, vertebra, subregion, wanted(size=(96, 48, 32)), seen)[9]
    end = 60 - (40 - 96 // 2)
    assert (block[end - 1, :, 16] != 0).all() and not block[end:].any()


@pytest.mark.parametrize("axes", [("R", "P", "I"), ("S", "A", "L")])
def test_cutouts_have_the_networks_axes_whatever_its_voxel_size_is_given_in(axes):
    maps = spine((0, 8, 20))
    sizes = dict(zip(("P", "I", "R"), (1.5, 1.2, 3.0), strict=True))
    letters = {"A": "P", "S": "I", "L": "R"}
    other = LevelInput(axes, lambda mm: tuple(sizes[letters.get(a, a)] for a in axes), SIZE)
    found = level_cutouts(*maps, other)
    for number, block in level_cutouts(*maps, wanted((1.5, 1.2, 3.0))).items():
        assert np.corrcoef(found[number].ravel(), block.ravel())[0, 1] > 0.97


def test_intensities_keep_their_type_so_that_unsigned_ones_have_no_ripples_below_zero():
    """As in SPINEPS: what is below 0 becomes 0, and 0 counts as not seen."""
    scan, vertebra, subregion = spine()
    edge = np.where(np.arange(130)[None, :, None] < 64, 0, 1000) * np.ones(scan.data.shape)
    seen = {}
    for kind in (np.uint16, np.int16):
        maps = scan.with_data(edge.astype(kind)), vertebra, subregion
        dark = level_cutouts(*maps, wanted((1.0, 0.7, 3.0)))[9][:, :24]
        seen[kind] = np.count_nonzero(dark)
    assert 0 < seen[np.uint16] < seen[np.int16], "only ripples above 0 are left"


def test_normalising_by_hand():
    assert normalised(np.array([0.0, 2.0, 4.0])).tolist() == [0.0, -1.0, 1.0]
    assert normalised(np.array([0.0, 5.0])).tolist() == [0.0, 0.0]
    assert normalised(np.zeros(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("axes", [("L", "P", "S"), ("R", "A", "S"), ("S", "L", "A")])
@pytest.mark.parametrize("turned", [False, True])
def test_storage_order_plays_no_part(axes, turned):
    maps = spine((0, 8, 20))
    expected = level_cutouts(*maps, wanted(turned=turned))
    stored = (reorient(part, axes) for part in maps)
    found = level_cutouts(*stored, wanted(turned=turned))
    for number, block in expected.items():
        assert found[number] == pytest.approx(block, abs=1e-3)


def test_another_voxel_size_shows_the_same_place():
    scan, vertebra, subregion = spine()
    fine = level_cutouts(scan, vertebra, subregion, wanted())[9]
    coarse = level_cutouts(scan, vertebra, subregion, wanted((2.0, 2.0, 3.0), size=(16, 24, 32)))[9]
    near = fine[::2, ::2][2:-2, 2:-2, 14:18] - coarse[2:-2, 2:-2, 14:18]
    assert np.median(np.abs(near)) < 0.3


def test_turned_cutouts_show_a_tilted_spine_upright():
    """The three bodies lie on a slope; turned about the one in the middle its neighbours come below each other."""
    maps = spine((0, 14, 28))
    tall = (64, 112, 32)
    for turned, most in ((False, 30), (True, 8)):
        block = level_cutouts(*maps, wanted(turned=turned, size=tall))[9]
        bright = block > 0.8
        above, below = bright[:, :40], bright[:, -40:]
        slope = np.nonzero(below)[0].mean() - np.nonzero(above)[0].mean()
        assert (abs(slope) < most) and (turned or slope > 15), (turned, slope)


def test_without_vertebrae_there_is_nothing_to_cut():
    scan, vertebra, subregion = spine()
    assert level_cutouts(scan, vertebra.with_data(vertebra.data * 0), subregion, wanted()) == {}
