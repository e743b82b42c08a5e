"""Pieces of spinous processes that hang on the neighbouring vertebra alone belong to it."""

import numpy as np
import pytest

from wirbel.core.geometry import Volume
from wirbel.core.instances.loose_pieces import attach_loose_pieces, return_lowest_process
from wirbel.core.labels import ARCUS, BODY_BORDER, SACRUM, SPINOUS_PROCESS

UPPER, LOWER = 1, 2


def spine():
    """Two vertebrae, front to back along the first axis: body, arch, process; 4 voxels of room between them."""
    labels, instances = np.zeros((40, 40, 6), np.uint8), np.zeros((40, 40, 6), np.uint8)
    for number, top in ((UPPER, 2), (LOWER, 22)):
        for subregion, (first, last) in {
            BODY_BORDER: (0, 16),
            ARCUS: (16, 22),
            SPINOUS_PROCESS: (22, 38),
        }.items():
            labels[first:last, top : top + 14] = subregion
            instances[first:last, top : top + 14] = number
    return labels, instances


def attached(labels, instances):
    return attach_loose_pieces(Volume(labels, np.diag([0.75, 0.75, 1.65, 1.0])), instances)


def test_the_back_of_a_process_that_was_called_the_upper_vertebra_s_returns():
    labels, truth = spine()
    instances = truth.copy()
    instances[32:38, 22:36] = UPPER
    np.testing.assert_array_equal(attached(labels, instances), truth)


def test_whole_vertebrae_stay_also_where_their_processes_rest_on_each_other():
    labels, instances = spine()
    labels[30:38, 16:22], instances[30:38, 16:22] = SPINOUS_PROCESS, UPPER
    np.testing.assert_array_equal(attached(labels, instances), instances)


def test_the_largest_piece_stays_though_only_the_neighbour_touches_it():
    """The arch behind the outer slices was not drawn: the process of the upper vertebra hangs on nothing of its own."""
    labels, instances = spine()
    labels[16:24, 2:16], instances[16:24, 2:16] = 0, 0
    labels[30:38, 16:22], instances[30:38, 16:22] = SPINOUS_PROCESS, UPPER
    np.testing.assert_array_equal(attached(labels, instances), instances)


@pytest.mark.parametrize("touching", ["nothing", "its own arch as well"])
def test_other_pieces_stay(touching):
    labels, instances = spine()
    if touching == "nothing":
        labels[30:34, 17:20], instances[30:34, 17:20] = SPINOUS_PROCESS, UPPER
    else:  # a process in two pieces, of which the second joins the arch of its vertebra and the next process
        labels[22:26, 2:16], instances[22:26, 2:16] = 0, 0
        labels[19:24, 16:22], instances[19:24, 16:22] = SPINOUS_PROCESS, UPPER
    np.testing.assert_array_equal(attached(labels, instances), instances)


def test_a_piece_is_not_handed_on_to_a_vertebra_further_away():
    labels, instances = spine()
    instances[instances == LOWER] = 3
    instances[32:38, 22:36] = UPPER
    np.testing.assert_array_equal(attached(labels, instances), instances)


def test_nothing_to_do_without_processes():
    empty = np.zeros((4, 4, 4), np.uint8)
    np.testing.assert_array_equal(attached(empty, empty), empty)


def above_a_sacrum(piece):
    """Two vertebrae, of the lower one the body alone, and arch and process called the upper one's in these rows."""
    labels, instances = spine()
    labels[16:38, 22:36], instances[16:38, 22:36] = 0, 0
    labels[26:30, piece], instances[26:30, piece] = ARCUS, UPPER
    labels[30:36, piece], instances[30:36, piece] = SPINOUS_PROCESS, UPPER
    labels[4:20, 37:40] = SACRUM
    return labels, instances


def returned(labels, instances, step_mm=(0.75, 0.75, 1.65)):
    return return_lowest_process(Volume(labels, np.diag([*step_mm, 1.0])), instances)


@pytest.mark.parametrize("step_mm", [(0.75, 0.75, 1.65), (0.75, -0.75, -1.65)])
def test_the_process_above_a_sacrum_that_was_called_the_upper_vertebra_s_returns(step_mm):
    labels, instances = above_a_sacrum(slice(24, 32))
    truth = instances.copy()
    truth[26:36, 24:32] = LOWER
    np.testing.assert_array_equal(returned(labels, instances, step_mm), truth)


def test_a_process_stays_that_lies_near_its_own_vertebra_or_hangs_on_it():
    near = above_a_sacrum(slice(17, 19))
    hanging = above_a_sacrum(slice(16, 34))
    for labels, instances in (near, hanging):
        np.testing.assert_array_equal(returned(labels, instances), instances)


def test_a_process_stays_where_no_sacrum_is_in_view_or_the_lowest_vertebra_has_its_own():
    labels, instances = above_a_sacrum(slice(24, 32))
    labels[labels == SACRUM] = 0
    np.testing.assert_array_equal(returned(labels, instances), instances)
    labels, instances = above_a_sacrum(slice(24, 32))
    labels[37:39, 33:35], instances[37:39, 33:35] = SPINOUS_PROCESS, LOWER
    np.testing.assert_array_equal(returned(labels, instances), instances)
