"""A last vertebra that was partly taken for sacrum is whole again; the sacrum itself stays."""

import numpy as np
from support.spines.spine_boxes import box_spine

from wirbel.core.geometry import Volume, reorient
from wirbel.core.labels import BODY_BORDER, DISC, SACRUM
from wirbel.core.semantic.cleaning import clean_semantic
from wirbel.core.semantic.last_body import restore_last_body

LUMBAR = box_spine(range(20, 25))  # axes P, I, R; L5 stands on the disc above the sacrum
FRONT, TOP, _ = (
    int(v.min()) for v in np.nonzero((LUMBAR.vertebra == 24) & (LUMBAR.labels.data == BODY_BORDER))
)


def _front_half_of_the_last_body_taken_for_sacrum() -> Volume:
    data = LUMBAR.labels.data.copy()
    part = data[: FRONT + 17, TOP : TOP + 26]
    part[part == BODY_BORDER] = SACRUM
    return LUMBAR.labels.with_data(data)


def test_half_a_body_taken_for_sacrum_is_body_again():
    false = _front_half_of_the_last_body_taken_for_sacrum()
    assert np.count_nonzero(false.data != LUMBAR.labels.data) > 5000
    assert np.array_equal(restore_last_body(false).data, LUMBAR.labels.data)
    assert np.array_equal(clean_semantic(false).data, LUMBAR.labels.data)


def test_also_where_it_hangs_together_with_the_sacrum_around_the_disc():
    false = _front_half_of_the_last_body_taken_for_sacrum()
    # As wide as the body, in front of the disc.
    sheet = (slice(FRONT - 2, FRONT), slice(TOP + 20, TOP + 50), slice(9, 23))
    false.data[sheet] = SACRUM
    restored = restore_last_body(false).data
    body = LUMBAR.labels.data == BODY_BORDER
    assert (restored[body] == BODY_BORDER).all()
    assert (restored[sheet][:, :10] == BODY_BORDER).all()
    assert (restored[sheet][:, 20:] == SACRUM).all()


def test_a_first_sacral_segment_above_a_remaining_disc_stays_sacrum():
    data = LUMBAR.labels.data.copy()
    rows = np.nonzero(data == SACRUM)[1]
    part = data[:, rows.min() + 22 : rows.min() + 26]
    part[part == SACRUM] = DISC
    assert np.array_equal(restore_last_body(LUMBAR.labels.with_data(data)).data, data)


def test_without_a_disc_or_a_sacrum_nothing_changes():
    no_disc = np.where(LUMBAR.labels.data == DISC, 0, LUMBAR.labels.data)
    no_sacrum = np.where(LUMBAR.labels.data == SACRUM, 0, LUMBAR.labels.data)
    for data in (no_disc, no_sacrum, np.zeros_like(no_disc)):
        assert np.array_equal(restore_last_body(LUMBAR.labels.with_data(data)).data, data)


def test_the_order_in_which_axes_are_stored_does_not_matter():
    false = _front_half_of_the_last_body_taken_for_sacrum()
    for axes in (("R", "A", "S"), ("S", "L", "P"), ("L", "I", "A")):
        turned = restore_last_body(reorient(false, axes))
        assert np.array_equal(reorient(turned).data, LUMBAR.labels.data)
