"""Vertebrae of stations that were segmented apart: which are the same, what they are called, whose row is taken."""

import numpy as np
import pytest

from wirbel.core.joining.choosing import best_rows
from wirbel.core.joining.naming import joint_names
from wirbel.core.joining.stations import Station, chains, same_vertebrae

PITCH_MM = 25.0


def station(name, first, count, top_mm, confidence=0.9, shift_mm=0.0, above="", **more):
    """Vertebrae from the label `first` on, `PITCH_MM` apart, the first at `top_mm`; the header is `shift_mm` off."""
    places = {
        first + i: np.array([1.0, 2.0, top_mm - i * PITCH_MM + shift_mm]) for i in range(count)
    }
    motion = np.eye(4)
    motion[2, 3] = -shift_mm
    return Station(name, places, confidence, above=above, motion=motion, **more)


def test_the_same_vertebrae_are_those_in_the_same_place():
    neck, chest = station("neck", 2, 8, 300), station("chest", 8, 5, 300 - 6 * PITCH_MM)
    assert same_vertebrae(neck, chest) == {8: 8, 9: 9}
    assert same_vertebrae(neck, station("chest", 8, 5, 0)) == {}
    assert same_vertebrae(neck, Station("chest", {})) == {}


def test_what_the_field_of_view_leaves_of_a_body_is_still_the_same():
    neck, chest = station("neck", 2, 4, 300), station("chest", 5, 4, 300 - 3 * PITCH_MM)
    neck.centroids[5][2] += 9  # only the uppermost slice of the body
    assert same_vertebrae(neck, chest) == {5: 5}


def test_a_shift_of_a_whole_vertebra_is_undone_before_they_are_matched():
    row = [
        station("neck", 2, 8, 300),
        station("chest", 8, 6, 300 - 6 * PITCH_MM, shift_mm=20, above="neck"),
        station("lumbar", 13, 6, 300 - 11 * PITCH_MM, shift_mm=-4, above="chest"),
    ]
    (joined,) = chains(row)
    assert same_vertebrae(*joined[:2]) == {8: 8, 9: 9}
    # its motion leads to the chest's world, and on to the neck's
    assert joined[2].centroids[13][2] == pytest.approx(300 - 11 * PITCH_MM - 20)


def test_the_surest_station_names_the_others():
    found = joint_names(
        [
            station("lumbar", 20, 5, 300 - 18 * PITCH_MM, 0.97, above="chest", method="sacrum"),
            station("neck", 2, 8, 300, 0.98, method="top"),
            station("chest", 9, 13, 300 - 6 * PITCH_MM, 0.4, above="neck", alternative="T1"),
        ]
    )
    assert {name: one.shift for name, one in found.items()} == {"neck": 0, "chest": -1, "lumbar": 0}
    assert all(one.confidence > 0.97 and not one.flags for one in found.values())


def test_two_unsure_stations_decide_by_what_both_hold_for_possible():
    upper = station("a", 10, 5, 300, 0.5, alternative="T4")
    lower = station("b", 14, 5, 300 - 3 * PITCH_MM, 0.6, above="a")
    found = joint_names(
        [upper, lower]
    )  # the lower one says that the upper one's second choice is right
    assert found["a"].shift == 1 and found["b"].shift == 0


def test_an_extra_vertebra_is_named_from_the_top_and_flagged():
    neck = station("neck", 2, 19, 600, 0.95, method="top")  # C2 to L1
    lumbar = station("lumbar", 19, 6, 600 - 18 * PITCH_MM, 0.95, above="neck", method="sacrum")
    found = joint_names([neck, lumbar])  # its L5 is the sixth below T12
    assert found["neck"].shift == 0 and found["lumbar"].shift == 1
    assert found["lumbar"].flags == ("stations_disagree",)


def test_a_station_that_begins_with_the_next_vertebra_is_named_by_the_one_above():
    """Nothing is shown by both, but the bodies are one distance apart."""
    neck = station("neck", 2, 8, 300, 0.98, method="top")
    chest = station("chest", 11, 6, 300 - 8 * PITCH_MM, 0.4, above="neck")
    found = joint_names([neck, chest])
    assert (found["neck"].shift, found["chest"].shift) == (0, -1)
    assert found["chest"].confidence > 0.9 and not found["chest"].flags


def test_stations_that_leave_a_gap_between_them_do_not_vouch_for_each_other():
    """A vertebra between them was found in neither: how many there are is not known."""
    neck = station("neck", 2, 8, 300, 0.98, method="top")
    chest = station("chest", 11, 6, 300 - 10 * PITCH_MM, 0.4, above="neck")
    found = joint_names([neck, chest], readers={"neck": 1})
    assert (found["neck"].shift, found["chest"].shift) == (1, 0)
    assert found["chest"].confidence is None


def test_stations_that_are_not_joined_keep_their_names_and_their_vertebrae():
    found = joint_names([station("neck", 2, 8, 300, 0.2), station("lumbar", 9, 5, 0, 0.9)])
    assert all(one.shift == 0 and one.confidence is None for one in found.values())
    assert found["neck"].numbers == {} and set(found["lumbar"].numbers) == {9}
    assert joint_names([Station("neck", {})])["neck"].shift == 0


def rows(levels, complete, volumes):
    return {"level": levels, "complete": complete, "vertebra_volume_mm3": volumes}


def test_the_complete_row_is_taken_then_the_larger_then_the_upper():
    upper = rows(["T1", "T2", "T3"], [True, False, True], [9.0, 8.0, 7.0])
    lower = rows(["T2", "T3", "T4"], [True, True, False], [5.0, 7.0, None])
    assert best_rows("vertebrae", [upper, lower], [{}, {}]) == [[0, 2], [0, 2]]
    assert best_rows("vertebrae", [upper, lower], [{}, {9: 1009, 10: 1010}]) == [
        [0, 1, 2],
        [0, 1, 2],
    ]


def test_discs_follow_the_vertebra_above():
    upper = {"level": ["T1-T2"], "complete": [False], "disc_volume_mm3": [3.0]}
    lower = {"level": ["T1-T2", "T2-T3"], "complete": [False, True], "disc_volume_mm3": [4.0, 5.0]}
    assert best_rows("discs", [upper, lower], [{}, {}]) == [[], [0, 1]]
    assert best_rows("discs", [{}, lower], [{}, {}]) == [[], [0, 1]]
