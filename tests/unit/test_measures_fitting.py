"""Least squares that leave out what the points do not tell."""

import numpy as np
import pytest

from wirbel.core.measures.fitting import fit


def design(x, y):
    return np.column_stack([np.ones(len(x)), x, y])


def test_a_plane_through_points_is_found():
    x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5))
    columns = design(x.ravel(), y.ravel())
    assert fit(columns, columns @ [3.0, 0.5, -0.25]) == pytest.approx([3.0, 0.5, -0.25])


def test_points_of_one_slice_do_not_decide_on_the_slope_across_slices():
    """They differ by a hundredth in x; an error of a voxel between them would make a slope of 100."""
    x, y = np.array([0.0, 0.01, 0.0, 0.01]), np.array([-1.0, -0.3, 0.3, 1.0])
    z = 2 + 0.5 * y + np.array([0.0, 1.0, 0.0, 1.0])
    level, across, along = fit(design(x, y), z)
    assert across == 0
    assert level == pytest.approx(2.5, abs=0.1)
    assert along == pytest.approx(0.8, abs=0.3)


def test_what_an_earlier_column_explains_is_its_own():
    """Two slices on either side of the middle: a parabola across them cannot be told from a higher level."""
    x = np.array([-0.3, -0.3, 0.3, 0.3])
    columns = np.column_stack([np.ones(4), x, x**2])
    assert fit(columns, np.full(4, 7.0)) == pytest.approx([7.0, 0.0, 0.0])


def test_a_point_counts_as_often_as_its_weight_says():
    columns = np.ones((2, 1))
    assert fit(columns, np.array([1.0, 4.0]), np.array([2.0, 1.0])) == pytest.approx([2.0])
