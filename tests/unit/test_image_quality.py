"""Noise, ghosts and shifted slices of a scan, on images whose answer is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from support.spines.spine_boxes import box_spine

from wirbel.core import labels as L
from wirbel.core.geometry import Volume, reorient
from wirbel.core.measures.quality.columns import NAMES, quality_columns, quality_flags
from wirbel.core.measures.signal.signals import picture_of

LUMBAR = box_spine(range(20, 25))
MARROW, FLUID, MUSCLE = 100.0, 160.0, 120.0
GHOSTS = NAMES[1:3]


def scan(noise: float = 2.0, air: bool = True, uneven: float = 0.0) -> Volume:
    """The box spine in muscle, even or not; the air around it is noisy or blank."""
    labels = LUMBAR.labels.data
    rng = np.random.default_rng(5)
    data = MUSCLE + uneven * rng.standard_normal(labels.shape)
    data[np.isin(labels, (L.CANAL, L.CORD))] = FLUID
    data[np.isin(labels, L.BODY_LABELS)] = MARROW
    outside = np.zeros(labels.shape, bool)
    outside[:15] = outside[-20:] = True
    data[outside] = 0.0
    noisy = np.hypot(
        data + noise * rng.standard_normal(data.shape), noise * rng.standard_normal(data.shape)
    )
    return Volume(noisy if air else np.where(outside, 0.0, noisy), LUMBAR.labels.affine)


def measured(image: Volume, labels: Volume = LUMBAR.labels) -> dict:
    return quality_columns(picture_of(image), labels)


@pytest.mark.parametrize("air", [True, False])
@pytest.mark.parametrize("noise", [2.0, 10.0, 30.0])
def test_noise_is_that_of_marrow_whatever_the_air_holds(noise, air):
    row = measured(scan(noise, air))
    assert row["signal_to_noise_ratio"] == pytest.approx(MARROW / noise, rel=0.1)
    assert quality_flags(row) == (["low_snr"] if noise == 30 else [])


@pytest.mark.parametrize(("axis", "name", "shift"), [(0, GHOSTS[0], 40), (1, GHOSTS[1], 24)])
def test_a_copy_of_the_image_is_a_ghost_along_its_axis(axis, name, shift):
    sound = scan(air=False, uneven=30)
    found = [
        measured(sound.with_data(sound.data + part * np.roll(sound.data, shift, axis)))[name]
        for part in (0.0, 0.1, 0.4)
    ]
    assert found[0] < 5
    assert found[1] == pytest.approx(10, abs=4)
    assert found[2] > 1.3 * found[1]


def test_which_figures_are_flagged():
    sound = dict(zip(NAMES, (20.0, 5.0, 30.0, 0.1), strict=True))
    assert quality_flags(sound) == []
    assert quality_flags(sound | {"signal_to_noise_ratio": 4.9}) == ["low_snr"]
    for name, value in zip(NAMES[1:], (21.0, 36.0, 0.8), strict=True):
        assert quality_flags(sound | {name: value}) == ["motion"]


@pytest.mark.parametrize("shift", [0, 1])
def test_every_other_slice_lies_elsewhere(shift):
    image = scan()
    image.data[:, :, 1::2] = np.roll(image.data[:, :, 1::2], shift, axis=0)
    row = measured(image)
    assert row["slice_shift_mm"] == pytest.approx(shift, abs=0.25)
    assert quality_flags(row) == (["motion"] if shift else [])


def test_a_scan_that_leans_has_no_shifted_slices():
    image, labels = scan(), LUMBAR.labels.data.copy()
    for k in range(labels.shape[2]):
        image.data[:, :, k] = np.roll(image.data[:, :, k], k, axis=0)
        labels[:, :, k] = np.roll(labels[:, :, k], k, axis=0)
    row = measured(image, LUMBAR.labels.with_data(labels))
    assert row["slice_shift_mm"] < 0.2


def test_storage_and_scale_of_a_file_change_nothing():
    image = scan(10.0)
    image.data[:, :, 1::2] = np.roll(image.data[:, :, 1::2], 1, axis=1)
    expected = measured(image)
    for axes in list(itertools.permutations("RAS"))[::2] + [("L", "P", "I")]:
        stored = [reorient(volume, axes) for volume in (image, LUMBAR.labels)]
        assert measured(stored[0].with_data(stored[0].data * 7.5), stored[1]) == pytest.approx(
            expected
        )


def test_what_cannot_be_told_says_why():
    assert quality_columns(None, LUMBAR.labels)["quality_status"] == "no_image"
    image = scan()
    row = measured(image.with_data(image.data - 200))
    assert row["quality_status"] == "no_zero"
    nothing = measured(image, LUMBAR.labels.with_data(np.zeros_like(LUMBAR.labels.data)))
    assert {nothing["quality_status"], nothing["slice_shift_status"]} == {
        "too_few_voxels",
        "too_few_slices",
    }
    assert quality_flags(nothing) == []
