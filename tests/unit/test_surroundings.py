"""What lies beside the bodies of a spine made of boxes: its cord and costal processes can be read off the list."""

import numpy as np
import pytest
from support.spines.spine_boxes import COSTAL_MM, box_spine

from wirbel.core.geometry import grid_with_spacing, reorient
from wirbel.core.instances.bodies import separate_bodies
from wirbel.core.labels import CANAL, CORD, COSTAL_LEFT, COSTAL_RIGHT
from wirbel.core.resampling import resample_labels

CHEST_TO_LOIN = box_spine(range(17, 24), sacrum=False)
"""T10, T11, T12 above L1, L2, L3, L4."""


def seen(spine, data=None):
    return separate_bodies(spine.labels if data is None else spine.labels.with_data(data)).seen


def test_costal_processes_lie_behind_the_canal_in_the_chest_and_beside_it_below():
    expected = [COSTAL_MM["T"]] * 3 + [COSTAL_MM["L"]] * 4
    assert seen(CHEST_TO_LOIN).costal_mm == pytest.approx(expected, abs=1.5)


def test_those_of_the_last_thoracic_vertebrae_are_short():
    reach = seen(CHEST_TO_LOIN).costal_reach_mm
    assert reach[1:3] == pytest.approx([24, 24], abs=3)
    assert (reach[3:] > 1.4 * reach[2]).all()


def test_in_the_neck_they_lie_in_front_of_the_canals_middle():
    neck = seen(box_spine(range(3, 8), sacrum=False))
    assert neck.costal_mm == pytest.approx([COSTAL_MM["C"]] * 5, abs=1.5)


def test_without_costal_processes_nothing_is_told():
    data = CHEST_TO_LOIN.labels.data.copy()
    data[np.isin(data, (COSTAL_LEFT, COSTAL_RIGHT))] = 0
    found = seen(CHEST_TO_LOIN, data)
    assert np.isnan(found.costal_mm).all() and np.isnan(found.costal_reach_mm).all()


def test_the_image_may_end_before_a_process_does():
    """The outermost 15 mm of both sides are cut away: the long processes of the loin reach the border."""
    narrow = CHEST_TO_LOIN.labels.data[..., 5:-5]
    assert seen(CHEST_TO_LOIN, narrow).costal_cut[3:].all()
    assert not seen(CHEST_TO_LOIN).costal_cut[1:3].any()


def test_the_cord_is_measured_where_it_is_one():
    """7 mm deep and two slices of 3 mm wide: 42 mm2. Where the whole sac was called cord, nothing is measured."""
    assert seen(CHEST_TO_LOIN).cord_mm2[:3] == pytest.approx([42] * 3, rel=0.1)
    assert np.isnan(seen(CHEST_TO_LOIN).cord_mm2[4:]).all()
    data = CHEST_TO_LOIN.labels.data.copy()
    data[data == CANAL] = CORD
    assert np.isnan(seen(CHEST_TO_LOIN, data).cord_mm2).all()


@pytest.mark.parametrize("axes", [("L", "I", "A"), ("A", "S", "L"), ("S", "R", "P")])
def test_how_a_file_stores_its_axes_changes_nothing(axes):
    """Voxels so small that only a sample of every structure is looked at: it must be the same one."""
    spine = CHEST_TO_LOIN.labels
    fine = resample_labels(spine, grid_with_spacing(spine.grid, (0.5, 0.5, 1.5)))
    expected, found = separate_bodies(fine), separate_bodies(reorient(fine, axes))
    for name in ("costal_mm", "costal_reach_mm", "cord_mm2"):
        np.testing.assert_allclose(getattr(found.seen, name), getattr(expected.seen, name))
    np.testing.assert_allclose(found.decision.posterior, expected.decision.posterior)
    np.testing.assert_array_equal(
        found.numbers, reorient(fine.with_data(expected.numbers), axes).data
    )
