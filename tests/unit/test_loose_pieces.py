"""Pieces of spinous processes that hang on the neighbouring vertebra alone belong to it."""

import numpy as np
import pytest

from wirbel.core.geometry import Volume
from wirbel.core.instances.loose_pieces import attach_loose_pieces
from wirbel.core.labels import ARCUS, BODY_BORDER, SPINOUS_PROCESS

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
