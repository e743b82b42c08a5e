"""From a stored scan to the network's input: axes, voxel size, intensity range."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.geometry import Volume, reorient
from wirbel.core.preparation.image import prepare_image
from wirbel.core.preparation.intensities import TOP, robust_range, to_fixed_range
from wirbel.errors import ScanError


def bright_block(axes=("P", "I", "R")) -> Volume:
    """A dark field of view of 90 x 120 x 39.6 mm with a bright block around its centre."""
    rng = np.random.default_rng(1)
    data = rng.integers(0, 40, (120, 160, 12)).astype(np.int16)
    data[40:80, 60:100, 3:9] += 400
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, 3.3], [-0.75, 0, 0], [0, -0.75, 0]])
    return reorient(Volume(data, affine), axes)


def test_the_grid_is_the_models():
    prepared = prepare_image(bright_block(), "a.nii.gz", (1.0, 1.0, 3.0), correct_bias=False)
    assert prepared.image.axes == ("P", "I", "R")
    np.testing.assert_allclose(prepared.image.spacing_mm, (1.0, 1.0, 3.0))
    assert prepared.image.data.dtype == np.int16
    assert prepared.steps["BiasField"] == "not asked for"
    assert prepared.steps["SourceAxes"] == "PIR"


@pytest.mark.parametrize("axes", [("L", "A", "S"), ("S", "R", "A"), ("A", "I", "L")], ids="".join)
def test_the_storage_order_does_not_matter(axes):
    reference = prepare_image(bright_block(), "a.nii.gz", (1.0, 1.0, 3.0)).image
    other = prepare_image(bright_block(axes), "a.nii.gz", (1.0, 1.0, 3.0)).image
    assert other.axes == reference.axes
    assert np.abs(centre_mm(other) - centre_mm(reference)).max() < 0.5


def centre_mm(image: Volume) -> np.ndarray:
    """World centre of the bright block."""
    return image.grid.to_world(np.argwhere(image.data > TOP / 2)).mean(0)


def test_a_scan_that_cannot_be_used_is_refused_by_name():
    blank = bright_block()
    with pytest.raises(ScanError, match=r"a\.nii\.gz"):
        prepare_image(blank.with_data(np.zeros_like(blank.data)), "a.nii.gz", (1.0, 1.0, 3.0))


def test_the_range_ignores_a_thousandth_at_either_end():
    data = np.arange(10_001, dtype=np.float32)
    data[-1] = 1e9  # a spike
    low, high = robust_range(data)
    assert (low, high) == pytest.approx((10, 9990), abs=1)


def test_values_are_mapped_linearly_and_clipped():
    scaled, _ = to_fixed_range(np.linspace(-100, 100, 20_001))
    assert (scaled.min(), scaled.max()) == (0, TOP)
    assert scaled[10_000] == TOP / 2
    assert scaled[15_000] == pytest.approx(TOP * 0.7505, abs=1)


def test_a_constant_becomes_zero():
    scaled, _ = to_fixed_range(np.full((4, 4, 4), 7.0))
    assert not scaled.any()
