"""The whole merge, from a subregion map and predictions to two consistent maps."""

import numpy as np
import pytest
from support.spines.spine_boxes import box_spine, counters, oracle

from wirbel.core.instances.cutouts import body_centres
from wirbel.core.instances.predicted_vertebrae import Predictions
from wirbel.core.labels import BODY_BORDER, DISC, SACRUM
from wirbel.core.merging.both_maps import merge
from wirbel.core.merging.final_grid import KIND_OF_NUMBER, KIND_OF_STRUCTURE
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


def with_bit(spine, label, *, behind=0, below=0):
    """Return the map with a bit of 0.7 ml, that far (mm) behind and below the middle of the sacrum."""
    data = spine.labels.data.copy()
    back, down, middle = np.argwhere(data == SACRUM).mean(0).astype(int)
    place = np.s_[back + behind - 4 : back + behind + 5, down + below - 4 : down + below + 5]
    data[place][:, :, middle - 1 : middle + 2] = label
    return spine.labels.with_data(data)


@pytest.mark.parametrize(
    "place", [{}, {"behind": 25}, {"below": 27}], ids=["in", "behind", "below"]
)
def test_a_bit_of_body_about_the_sacrum_is_set_aside(place):
    spine = box_spine(range(19, 25), bottom_margin=40)
    labels = with_bit(spine, BODY_BORDER, **place)
    result = merge(labels, oracle(labels, counters(spine), body_centres(labels)), labels.grid)
    assert result.levels.labels == spine.numbers
    assert (result.levels.flags, result.levels.set_aside) == (("parts_set_aside",), 1)
    bit = (labels.data == BODY_BORDER) & (spine.labels.data != BODY_BORDER)
    assert not result.vertebra.data[bit].any()
    assert np.array_equal(result.vertebra.data[~bit], spine.vertebra[~bit])
    assert np.array_equal(
        KIND_OF_STRUCTURE[result.subregion.data], KIND_OF_NUMBER[result.vertebra.data]
    )


def test_s1_called_a_body_goes_to_the_sacrum_with_its_disc():
    """Its disc is a remnant, less than half as deep as the others, and no arch lies behind it."""
    spine = box_spine(range(19, 25))
    data = spine.labels.data.copy()
    front, top, _ = np.argwhere(data == SACRUM).min(0)
    s1 = np.s_[front : front + 29, top : top + 26]
    data[s1][data[s1] == SACRUM] = BODY_BORDER
    data[front : front + 12, top + 26 : top + 29][
        data[front : front + 12, top + 26 : top + 29] > 0
    ] = DISC
    labels = spine.labels.with_data(data)
    result = merge(labels, oracle(labels, counters(spine), body_centres(labels)), labels.grid)
    assert result.levels.labels == spine.numbers
    assert "sacral_body" in result.levels.flags
    assert (result.vertebra.data[data == BODY_BORDER] == SACRUM)[
        data[data == BODY_BORDER] > 0
    ].any()
    assert set(np.unique(result.vertebra.data[s1])) <= {0, SACRUM}
    assert result.levels.alternative == "T11"
    plain = merge(
        spine.labels, oracle(spine.labels, counters(spine), body_centres(spine.labels)), labels.grid
    )
    assert result.levels.confidence <= plain.levels.confidence


def test_a_map_without_bodies_is_the_scans_fault():
    spine = box_spine((22,), sacrum=False)
    empty = spine.labels.with_data(np.zeros_like(spine.labels.data))
    none = Predictions(np.zeros((0, 4, 4, 4), np.uint8), np.zeros((0, 3), int), np.zeros((0, 3)))
    with pytest.raises(ScanError, match="no_spine_found"):
        merge(empty, none, empty.grid)
