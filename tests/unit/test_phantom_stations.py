"""Simulated stations: what is wrong with them is known, and undone by putting them together."""

import numpy as np
import pytest
from support.deliveries.stations import tall

from wirbel.core.geometry import Volume, reorient
from wirbel.core.stitching.stations import overlap_mm, stitched
from wirbel.phantom.imaging.stations import OVERLAP_MM, cut_stations


@pytest.fixture(scope="module")
def image():
    return tall(rows=260, seed=4)  # 390 mm


@pytest.mark.parametrize("seed", [1, 2])
def test_the_planted_shifts_are_what_stitching_finds_to_half_a_millimetre(image, seed):
    stations = {station.name: station for station in cut_stations(image, seed)}
    result = stitched({name: station.volume for name, station in stations.items()})
    assert result.names == ("neck", "chest", "lumbar")
    for seam, moved in zip(result.seams, (stations["neck"], stations["lumbar"]), strict=True):
        found = (seam.shift_right_mm, seam.shift_front_mm, seam.shift_up_mm)
        np.testing.assert_allclose(found, -np.array(moved.shift_mm), atol=0.5)
        assert seam.intensity_ratio == pytest.approx(1 / moved.gain, rel=0.05)


def test_the_middle_station_is_the_scan_itself(image):
    _, chest, _ = cut_stations(image, 1)
    assert (chest.shift_mm, chest.tilt_deg, chest.gain) == ((0, 0, 0), 0, 1)
    whole = reorient(image)
    first = round(whole.grid.to_index(chest.volume.affine[:3, 3])[1])
    part = whole.data[:, first : first + chest.volume.data.shape[1]]
    np.testing.assert_array_equal(chest.volume.data, part)


def test_neighbours_overlap_as_in_whole_spine_protocols(image):
    stations = cut_stations(image, 5)
    for upper, lower in zip(stations, stations[1:], strict=False):
        found = overlap_mm(upper.volume.grid, lower.volume.grid)
        assert OVERLAP_MM[0] - 10 < found < OVERLAP_MM[1] + 10


def test_the_same_seed_gives_the_same_stations_and_another_one_others(image):
    one, again, other = (cut_stations(image, seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one[0].volume.affine, again[0].volume.affine)
    assert one[0].shift_mm != other[0].shift_mm


def test_a_short_scan_has_no_stations():
    with pytest.raises(ValueError, match="at least 300 mm, found 90"):
        cut_stations(Volume(np.ones((5, 90, 5)), tall().affine / 1.5), 1)
