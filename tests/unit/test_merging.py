"""The whole merge, from a subregion map and predictions to two consistent maps."""

import numpy as np
import pytest
from spine_boxes import box_spine, counters, oracle

from wirbel.core.consolidation import Predictions
from wirbel.core.cutouts import body_centres
from wirbel.core.final_grid import KIND_OF_NUMBER, KIND_OF_STRUCTURE
from wirbel.core.merging import merge
from wirbel.errors import ScanError


def merged(spine, labels=None):
    labels = labels or spine.labels
    return merge(labels, oracle(labels, counters(spine), body_centres(labels)), labels.grid)


@pytest.mark.parametrize("numbers", [range(2, 25), range(2, 9), range(19, 25)])
def test_a_perfect_network_gives_the_true_maps(numbers):
    spine = box_spine(numbers, sacrum=24 in numbers)
    result = merged(spine)
    assert np.array_equal(result.vertebra.data, spine.vertebra)
    assert np.array_equal(result.subregion.data, spine.labels.data)


def test_a_vertebra_without_a_name_leaves_both_maps():
    spine = box_spine((*range(2, 26), 28), sacrum=False)
    result = merged(spine)
    assert result.levels.labels[-1] == 0
    assert not result.vertebra.data[spine.vertebra == 28].any()
    assert np.array_equal(
        KIND_OF_STRUCTURE[result.subregion.data], KIND_OF_NUMBER[result.vertebra.data]
    )


def test_a_map_without_bodies_is_the_scans_fault():
    spine = box_spine((22,), sacrum=False)
    empty = spine.labels.with_data(np.zeros_like(spine.labels.data))
    none = Predictions(np.zeros((0, 4, 4, 4), np.uint8), np.zeros((0, 3), int), np.zeros((0, 3)))
    with pytest.raises(ScanError, match="no_spine_found"):
        merge(empty, none, empty.grid)
