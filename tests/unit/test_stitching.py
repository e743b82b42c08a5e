"""Stations put together: known shifts are found, brightness is matched, and what does not fit is refused."""

import numpy as np
import pytest
from support.deliveries.stations import station, tall

from wirbel.core.geometry import Grid, Volume, reorient
from wirbel.core.pictures.seams import seam_picture
from wirbel.core.stitching.alignment import sampled
from wirbel.core.stitching.blending import common_grid, intensity_ratio
from wirbel.core.stitching.stations import overlap_mm, stitched
from wirbel.errors import ScanError


@pytest.fixture(scope="module")
def whole():
    return tall()


@pytest.fixture(scope="module")
def three(whole):
    """Neck and lumbar lie elsewhere than their headers say, are tilted, and were received with other gains."""
    return {
        "lumbar": station(whole, 120, 200, (-1.5, 2.5, -4.0), tilt_deg=-3, gain=0.6),
        "neck": station(whole, 0, 80, (1.0, -3.0, 3.5), tilt_deg=4, gain=1.7),
        "chest": station(whole, 55, 145),
    }


@pytest.fixture(scope="module")
def result(three):
    return stitched(three)


def test_residual_shifts_are_found_to_half_a_millimetre(result):
    assert result.names == ("neck", "chest", "lumbar")
    upper, lower = result.seams
    assert (upper.upper, upper.lower, lower.lower) == ("neck", "chest", "lumbar")
    found = [(s.shift_right_mm, s.shift_front_mm, s.shift_up_mm) for s in result.seams]
    np.testing.assert_allclose(found[0], (-1.0, 3.0, -3.5), atol=0.5)
    np.testing.assert_allclose(found[1], (1.5, -2.5, 4.0), atol=0.5)
    assert min(s.correlation for s in result.seams) > 0.98 > 0.95 > upper.correlation_before


def test_brightness_follows_the_middle_station(result):
    ratios = [seam.intensity_ratio for seam in result.seams]
    np.testing.assert_allclose(ratios, (1 / 1.7, 1 / 0.6), rtol=0.03)


def test_the_stitched_image_is_the_uncut_one(result, whole):
    expected = sampled(whole, result.volume.grid)
    inside = np.isfinite(expected) & (result.volume.data > 0)
    assert inside.sum() > 0.9 * whole.data.size
    wrong = np.abs(result.volume.data[inside] - expected[inside])
    assert np.median(wrong) < 30 and np.percentile(wrong, 99) < 250  # of values from 100 to 3000


def test_the_middle_station_is_copied_not_interpolated(result, three):
    chest = reorient(three["chest"])
    first = np.rint(result.volume.grid.to_index(chest.affine[:3, 3])).astype(int)
    rows = slice(32, 58)  # beside the overlaps
    own = chest.data[:, rows]
    part = result.volume.data[
        first[0] : first[0] + own.shape[0],
        first[1] + rows.start : first[1] + rows.stop,
        first[2] : first[2] + own.shape[2],
    ]
    np.testing.assert_allclose(part, own, atol=1e-2)


def test_the_result_does_not_depend_on_storage_or_order(three, result):
    stored = {
        "chest": reorient(three["chest"], ("R", "S", "A")),
        "neck": reorient(three["neck"], ("S", "L", "P")),
        "lumbar": three["lumbar"],
    }
    again = stitched(stored)
    np.testing.assert_allclose(again.volume.affine, result.volume.affine, atol=1e-6)
    np.testing.assert_allclose(again.volume.data, result.volume.data, atol=1e-2)


def test_stations_that_fit_already_are_not_moved(whole):
    found = stitched({"a": station(whole, 0, 80), "b": station(whole, 55, 140)})
    (seam,) = found.seams
    assert seam.shift_mm == 0 and seam.correlation > 0.999
    assert seam.overlap_mm == pytest.approx(25 * 1.5)
    assert found.rows == (round((54.5 + 79.5) / 2),)


def test_without_the_middle_station_the_lowest_remains_and_the_other_is_named(three):
    found = stitched({"neck": three["neck"], "lumbar": three["lumbar"]})
    assert (found.names, found.apart, found.seams) == (("lumbar",), ("neck",), ())
    pair = stitched({"neck": three["neck"], "chest": three["chest"]})
    assert pair.names == ("neck", "chest") and len(pair.seams) == 1


def test_stations_of_two_people_are_refused(whole):
    other = station(tall(seed=9), 55, 145)
    with pytest.raises(ScanError, match="correlation of 0.6 or more") as caught:
        stitched({"neck": station(whole, 0, 80), "chest": other})
    assert caught.value.reason == "implausible_seam"
    assert "between the stations neck and chest" in caught.value.detail


def test_too_short_an_overlap_is_refused(whole):
    with pytest.raises(ScanError, match="an overlap of at least 15 mm, found 8 mm"):
        stitched({"a": station(whole, 0, 80), "b": station(whole, 75, 150)})


def test_a_common_grid_continues_the_reference_without_moving_its_voxels():
    reference = Grid((2, 3, 4), np.diag([1.0, 2.0, 3.0, 1.0]))
    other = Grid((2, 3, 4), np.array([[1, 0, 0, -1], [0, 2.0, 0, 4], [0, 0, 3, 0], [0, 0, 0, 1]]))
    grid = common_grid(reference, [reference, other])
    assert grid.shape == (3, 5, 4)
    assert grid.to_world([1, 0, 0]).tolist() == [0, 0, 0]


def test_a_gap_is_a_negative_overlap():
    upper = Volume(
        np.zeros((4, 10, 4)), np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 9.0], [0, 0, 0, 1]])
    )
    lower = Volume(
        upper.data, upper.affine - [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 12.0], [0, 0, 0, 0]]
    )
    assert overlap_mm(upper.grid, lower.grid) == -2


def test_intensity_ratios_come_from_what_is_bright():
    one, other = np.full(1000, 50.0), np.full(1000, 100.0)
    one[:900], other[:900] = 1.0, 5.0  # air
    one[0] = np.nan
    assert intensity_ratio(np.where(one > 10, one * 6, one), other) == pytest.approx(3.0)


def test_a_picture_shows_every_seam(result):
    picture = seam_picture(result.volume, result.seams, result.rows)
    pixels = np.array(picture)
    lines = (pixels == (255, 200, 0)).all(axis=2).all(axis=1)
    assert lines.sum() == 2 and picture.size[1] == 900
