"""Training samples of the labelling network: the cut-outs of the stage `label`, and random changes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wirbel.core.geometry import MODEL_AXES
from wirbel.core.labelling.level_cutouts import LevelInput, level_cutouts
from wirbel.core.labels import BODY_BORDER
from wirbel.learning.labelling.labelling_settings import LabellingSettings
from wirbel.learning.labelling.level_samples import drawn_sample, plain_sample, prepare_case
from wirbel.learning.training.training_cases import on_model_grid
from wirbel.learning.training.training_settings import training_settings

SPACING_MM = (1.0, 1.0, 3.0)
SIZE = (32, 48, 32)
SETTINGS = LabellingSettings("DENSENET121", ("VERT", "VERTREL"), SIZE)


@pytest.fixture(scope="module")
def volumes():
    """L4, L5 and a sliver of T12 at the upper border, on a noisy picture; axes P, I, R."""
    random = np.random.default_rng(0)
    vertebra, subregion = np.zeros((2, 60, 110, 12), np.uint8)
    for label, rows in ((19, slice(0, 1)), (23, slice(30, 48)), (24, slice(62, 80))):
        width = 2 if label == 19 else 20
        vertebra[20 : 20 + width, rows, 3:9] = label
        subregion[20 : 20 + width, rows, 3:9] = BODY_BORDER
    image = 300 + 200 * (vertebra > 0) + random.normal(0, 30, vertebra.shape)
    return tuple(
        on_model_grid(a, SPACING_MM) for a in (image.astype(np.int16), vertebra, subregion)
    )


@pytest.mark.parametrize(("in_plane_mm", "spacing_mm"), [(0.0, SPACING_MM), (2.0, (2, 2, 3))])
def test_unchanged_samples_are_what_the_network_is_shown_in_use(in_plane_mm, spacing_mm, volumes):
    wanted = LevelInput(MODEL_AXES, lambda scan_mm: spacing_mm, SIZE)
    in_use = level_cutouts(*volumes, wanted)
    case = prepare_case(*volumes, replace(SETTINGS, in_plane_mm=in_plane_mm))
    for label in case.labels:
        np.testing.assert_allclose(plain_sample(case, label, SIZE), in_use[label], atol=2e-3)


def test_a_sliver_of_a_body_is_left_out_but_counts_as_seen(volumes):
    case = prepare_case(*volumes, SETTINGS)
    assert case.labels == [23, 24]
    assert case.targets[23] == [22, 0], "what is below it is in view"


def test_samples_depend_on_the_generator_alone(volumes):
    case = prepare_case(*volumes, SETTINGS)
    drawn = [drawn_sample(case, SIZE, np.random.default_rng([7, n])) for n in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0][0], drawn[1][0])
    assert not np.array_equal(drawn[0][0], drawn[2][0])


def test_changed_samples_are_scaled_as_in_use_and_stay_0_outside_the_scan(volumes):
    case = prepare_case(*volumes, SETTINGS)
    for number in range(12):
        block, classes = drawn_sample(case, SIZE, np.random.default_rng(number))
        assert block.shape == SIZE and block.dtype == np.float32
        seen = block[block != 0].astype(float)
        assert seen.mean() == pytest.approx(0, abs=1e-3)
        assert seen.std() == pytest.approx(1, abs=1e-3)
        assert (block[:, :, :8] == 0).all(), "the scan has 12 slices, the cut-out 32"
        assert classes in case.targets.values()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"labelling_network": {"hair": 1}}, "labelling_network: unknown key 'hair'"),
        ({"labelling": {"hair": 1}}, "labelling: unknown key 'hair'"),
        ({"labelling_network": {"backbone": "RESNET"}}, "DENSENET169, found 'RESNET'"),
        ({"labelling_network": {"heads": ["VERT", "NAIL"]}}, "expected heads out of REGION"),
        ({"labelling_network": {"heads": ["REGION"]}}, "none of its heads names levels"),
        ({"labelling_network": {"in_plane_mm": -1}}, "in_plane_mm of 0 or more, found -1"),
        ({"labelling_network": {"cutout_size": [32, 32, 16]}}, "three even edges of 32 or more"),
        ({"labelling": {"batch_size": 1}}, "batch_size of 2 or more"),
        ({"labelling": {"steps": 0}}, "leave the section out"),
        ({"labelling": {}, "semantic_network": {"contrast": "CT"}}, "contrast CT"),
    ],
)
def test_networks_that_cannot_be_trained_are_refused(raw, message):
    with pytest.raises(ValueError, match=message):
        training_settings(raw)


def test_without_a_section_there_is_no_such_training():
    assert training_settings({"labelling_network": {"backbone": "DENSENET121"}}).labelling is None
    assert training_settings({"labelling": {"steps": 7}}).labelling.steps == 7


def test_the_f1_score_is_that_of_the_head_that_names_levels_best():
    assert LabellingSettings(heads=("REGION", "VERTGRP", "VERTEX")).level_head == "VERTEX"
    assert LabellingSettings().level_head == "VERT"
