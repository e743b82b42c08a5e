"""Classes and margins of images that are looked at slab by slab."""

import numpy as np
import pytest
import torch

from wirbel.learning.semantic.margins import SLICES, classes_and_margins


@pytest.mark.parametrize("shape", [(2 * SLICES + 3, 4, 5), (3, SLICES, 2), (4, 5, SLICES + 1)])
def test_every_voxel_has_the_class_of_its_largest_score(shape):
    scores = torch.rand(6, *shape, generator=torch.Generator().manual_seed(0))
    classes, margins = classes_and_margins(scores, 1)
    np.testing.assert_array_equal(classes, scores.numpy().argmax(0))
    assert ((margins == 0) == (classes == 0)).all()
