"""N4 on a body with a known gain; what cannot be corrected comes back with a reason."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.geometry import Volume
from wirbel.core.preparation.bias_field import (
    block_means,
    correct_bias_field,
    foreground,
    reduction,
)

SPACING_MM = (2.0, 2.0, 4.0)


def striped_body(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return (image without gain, body mask): bands of two tissues in noise, air around."""
    rng = np.random.default_rng(seed)
    shape = (70, 130, 14)
    body = np.zeros(shape, bool)
    body[10:60, 5:125] = True
    bands = (np.arange(shape[1]) // 9) % 2
    tissue = np.where(bands, 120.0, 60.0)[None, :, None] * np.ones(shape)
    return np.where(body, tissue, 2) + rng.normal(0, 2, shape), body


def coil_gain(shape: tuple[int, ...]) -> np.ndarray:
    """Three times brighter at the back than at the front."""
    return np.exp(np.linspace(np.log(3) / 2, -np.log(3) / 2, shape[0]))[:, None, None]


def test_the_coils_gain_is_removed():
    image, body = striped_body()
    seen = Volume((np.abs(image) * coil_gain(image.shape)).astype(np.float32), affine())
    corrected, said = correct_bias_field(seen)
    assert said == "corrected"
    assert front_to_back(seen.data, body) > 1.8
    assert 0.9 < front_to_back(corrected.data, body) < 1.12


def front_to_back(data: np.ndarray, body: np.ndarray) -> float:
    """Ratio of the body's brightness in its first and last 10 rows."""
    inside = np.where(body, data, np.nan)
    return float(np.nanmean(inside[10:20]) / np.nanmean(inside[50:60]))


def affine() -> np.ndarray:
    return np.diag([*SPACING_MM, 1.0])


def test_the_same_image_gives_the_same_bytes():
    image, _ = striped_body()
    first, second = (correct_bias_field(Volume(image, affine()))[0].data for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_the_tissues_mean_brightness_stays():
    image, body = striped_body()
    corrected, _ = correct_bias_field(Volume(np.abs(image), affine()))
    ratio = corrected.data[body].mean() / np.abs(image)[body].mean()
    assert ratio == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("data", [np.zeros((40, 40, 8)), np.eye(40)[:, :, None] * np.ones(8)])
def test_an_image_without_enough_tissue_is_left_alone_and_says_so(data):
    corrected, said = correct_bias_field(Volume(data, affine()))
    assert said.startswith("not corrected: ")
    np.testing.assert_allclose(corrected.data, data)


def test_reduction_aims_at_five_millimetres_and_keeps_four_voxels():
    assert list(reduction((300, 800, 17), np.array([0.8, 0.8, 3.3]))) == [6, 6, 2]
    assert list(reduction((80, 80, 9), np.array([1.0, 1.0, 1.0]))) == [5, 5, 2]


def test_block_means_repeat_the_edge_in_the_last_block():
    data = np.array([1.0, 3.0, 5.0]).reshape(3, 1, 1)
    means = block_means(data, np.array([2, 1, 1]))
    np.testing.assert_allclose(means.ravel(), [2, 5])


def test_the_foreground_is_the_body():
    image, body = striped_body()
    found = foreground(np.abs(image))
    assert (found == body).mean() > 0.99
