"""Training patches: how often they are centred on the sacrum."""

import numpy as np
import pytest

from wirbel.core.labels import SACRUM
from wirbel.learning.semantic.patches import SACRUM_SHARE, PatchLoader
from wirbel.learning.semantic.semantic_plans import class_of_label


@pytest.fixture
def loader() -> PatchLoader:
    """A loader without data: choosing a place needs only the patch size."""
    loader = PatchLoader.__new__(PatchLoader)
    loader.need_to_pad, loader.patch_size = np.zeros(3, int), (4, 4, 4)
    loader.has_ignore, loader.annotated_classes_key = False, ()
    return loader


def places(*labels: int) -> dict:
    """Each class is one voxel, at 10 times its position among `labels`; classes left out are nowhere."""
    found = {number: np.zeros((0, 4), int) for number in class_of_label().values()}
    for position, label in enumerate(labels, start=1):
        found[class_of_label()[label]] = np.array([[0, 10 * position, 10, 10]])
    return found


def shares(loader, locations) -> np.ndarray:
    np.random.seed(0)  # noqa: NPY002 - the loader draws from the global state
    starts = [loader.get_bbox((90, 90, 90), True, locations)[0][0] for _ in range(2000)]
    return np.bincount((np.array(starts) + 2) // 10, minlength=4)[1:] / 2000


def test_a_third_of_the_patches_looks_at_the_sacrum_beside_its_even_share(loader):
    found = shares(loader, places(SACRUM, 49, 100))
    assert found[0] == pytest.approx(SACRUM_SHARE + (1 - SACRUM_SHARE) / 3, abs=0.03)
    assert found[1] == pytest.approx(found[2], abs=0.05)


def test_a_scan_without_sacrum_is_sampled_evenly(loader):
    found = shares(loader, places(41, 49, 100))
    np.testing.assert_allclose(found, 1 / 3, atol=0.04)
