"""Faults that networks make: the names above and below stay right, and nothing that is no vertebra gets one.

Each fault is put into the map of a lower back, T12 to L5 above the sacrum, whose right names are known.
"""

import numpy as np
import pytest
from support.spines.spine_boxes import box_spine, counters, oracle

from wirbel.core.geometry import Volume
from wirbel.core.instances.cutouts import body_centres
from wirbel.core.labels import BODY_BORDER, DISC, LEVEL_LABELS, SACRUM
from wirbel.core.levels.naming import name_levels
from wirbel.core.merging.both_maps import merge

SPINE = box_spine(range(18, 25))
BODY = SPINE.labels.data == BODY_BORDER
T11, L1, L2, L3, L5 = (LEVEL_LABELS[name] for name in ("T11", "L1", "L2", "L3", "L5"))


def body(label):
    return BODY & (SPINE.vertebra == label)


def rows(label):
    """Return the rows of the grid, from the top down, that a body lies in."""
    return np.flatnonzero(body(label).any((0, 2)))


def half_of_l5_called_sacrum(data):
    data[:, rows(L5)[13] :][body(L5)[:, rows(L5)[13] :]] = SACRUM


def topmost_body_reduced_to_a_bit(data):
    data[body(T11)] = 0
    data[40:49, rows(T11)[4] : rows(T11)[12], 14:17] = BODY_BORDER


def a_dark_band_across_a_body(data):
    data[:, rows(L2)[11:15]][body(L2)[:, rows(L2)[11:15]]] = 0


def a_dark_band_between_front_and_back(data):
    depth = np.flatnonzero(body(L2).any((1, 2)))
    data[depth[15:18]][body(L2)[depth[15:18]]] = 0


def a_vertebra_without_any_label(data):
    data[SPINE.vertebra == L2] = 0


def two_bodies_grown_together(data):
    data[np.isin(SPINE.vertebra, (100 + L1, 200 + L1))] = BODY_BORDER


def front_halves_missing(data):
    """A saturation band: of the bodies and discs from T12 to L4 only the back half is left."""
    columns = np.isin(data, (BODY_BORDER, DISC))
    columns[47:] = False
    columns[:, : rows(T11)[-1] + 3] = False
    columns[:, rows(L5)[0] :] = False
    data[columns] = 0


FAULTS = (
    half_of_l5_called_sacrum,
    topmost_body_reduced_to_a_bit,
    a_dark_band_across_a_body,
    a_dark_band_between_front_and_back,
    a_vertebra_without_any_label,
    two_bodies_grown_together,
    front_halves_missing,
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_body_keeps_its_name_and_no_other_has_one(fault):
    data = SPINE.labels.data.copy()
    fault(data)
    labels = SPINE.labels.with_data(data)
    result = merge(labels, oracle(labels, counters(SPINE), body_centres(labels)), labels.grid)
    named = np.where(result.subregion.data == BODY_BORDER, result.vertebra.data, 0)
    for label in SPINE.numbers:
        seen = body(label) & (data == BODY_BORDER)
        if np.count_nonzero(seen) > 0.3 * np.count_nonzero(body(label)):
            assert np.bincount(named[seen]).argmax() == label
    assert set(np.unique(named)) - {0} <= set(SPINE.numbers)


def named(labels, instances):
    levels = name_levels(labels.with_data(instances.astype(np.uint8)), labels)
    return dict(enumerate(levels.labels, start=1)), levels


def test_a_bit_that_counts_as_an_instance_has_no_name_and_moves_none():
    """As masks in SPINEPS' manner have it: a bit behind the sacrum is an instance of its own."""
    data, instances = SPINE.labels.data.copy(), counters(SPINE)
    down = int(np.argwhere(data == SACRUM)[:, 1].mean())
    place = np.s_[72:82, down - 4 : down + 5, 14:17]
    data[place], instances[place] = BODY_BORDER, 8
    labels, levels = named(SPINE.labels.with_data(data), instances)
    assert list(labels.values()) == [*SPINE.numbers, 0]
    assert (levels.flags, levels.set_aside) == (("parts_set_aside",), 1)


def test_two_instances_that_are_one_body_have_one_name():
    data, instances = SPINE.labels.data.copy(), counters(SPINE)
    a_dark_band_across_a_body(data)
    own = instances == SPINE.numbers.index(L2) + 1
    lower = own & (np.arange(data.shape[1])[None, :, None] > rows(L2)[13])
    instances[instances > SPINE.numbers.index(L2) + 1] += 1
    instances[lower] = SPINE.numbers.index(L2) + 2
    labels, _ = named(SPINE.labels.with_data(data), instances)
    assert list(labels.values()) == [18, 19, L1, L2, L2, L3, 23, L5]


def test_an_instance_that_holds_two_bodies_counts_as_two():
    data, instances = SPINE.labels.data.copy(), counters(SPINE)
    two_bodies_grown_together(data)
    upper = SPINE.numbers.index(L1) + 1
    instances[(data == BODY_BORDER) & np.isin(SPINE.vertebra, (100 + L1, 200 + L1))] = upper
    instances[instances == upper + 1] = upper
    instances[instances > upper] -= 1
    labels, _ = named(SPINE.labels.with_data(data), instances)
    assert list(labels.values()) == [18, 19, L1, L3, 23, L5]


def test_names_do_not_depend_on_how_the_map_is_stored():
    data = SPINE.labels.data.copy()
    a_vertebra_without_any_label(data)
    instances = np.where(data > 0, counters(SPINE), 0)
    flipped = SPINE.labels.affine @ np.diag([-1.0, 1, 1, 1])
    flipped[:3, 3] = SPINE.labels.grid.to_world([data.shape[0] - 1, 0, 0])
    usual, _ = named(SPINE.labels.with_data(data), instances)
    other = name_levels(Volume(instances[::-1], flipped), Volume(data[::-1].copy(), flipped))
    assert tuple(usual.values()) == other.labels
