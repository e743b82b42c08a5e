"""Scores, tiles, crops and plans are nnU-Net's own, which is imported here and only here to compare."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from subprocess import check_output

import numpy as np
import pytest
import torch
from support.models import tiny_models

from wirbel.io.prefetch import map_ahead
from wirbel.learning.semantic.semantic_model import crop_to_nonzero
from wirbel.learning.semantic.sliding_window import SlidingWindow, half_weights

CPU = torch.device("cpu")
HEAVY = (
    "nnunetv2.training",
    "nnunetv2.inference.predict_from_raw_data",
    "sympy",
    "blosc2",
    "skimage",
)


@pytest.fixture
def float32(monkeypatch):
    """Exact arithmetic, also on processors that would compute in bfloat16."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)


def window(step=0.5, mirror_axes=(), threads=2) -> SlidingWindow:
    pool = ThreadPoolExecutor(threads)
    return SlidingWindow(tiny_models.SEMANTIC.patch_size, step, mirror_axes, CPU, pool, 2 * threads)


def predictors_scores(network, data, step, mirror_axes, monkeypatch) -> torch.Tensor:
    """nnU-Net's predictor, made to add up in single instead of half precision."""
    from nnunetv2.inference import predict_from_raw_data as nnunet
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    from wirbel.learning.semantic.semantic_plans import CONFIGURATION, dataset_json, plans_json

    monkeypatch.setattr(torch, "half", torch.float32)
    exact = partial(nnunet.compute_gaussian, dtype=torch.float32)
    monkeypatch.setattr(nnunet, "compute_gaussian", exact)
    predictor = nnunet.nnUNetPredictor(step, True, bool(mirror_axes), False, CPU, allow_tqdm=False)
    plans = PlansManager(plans_json(tiny_models.SEMANTIC, [32, 32, 4]))
    configuration = plans.get_configuration(CONFIGURATION)
    predictor.manual_initialization(
        network, plans, configuration, None, dataset_json(1), "", mirror_axes or None
    )
    return predictor.predict_sliding_window_return_logits(data)


@pytest.mark.parametrize(
    ("shape", "step", "mirror_axes"),
    [
        ((32, 32, 4), 0.5, ()),  # one tile
        ((75, 20, 9), 0.5, ()),  # many along two axes, padded along the third
        ((50, 33, 4), 0.7, (0, 1, 2)),  # all eight mirror images
        ((40, 32, 3), 1.0, (1,)),
    ],
)
def test_scores_are_those_of_nnunets_predictor(shape, step, mirror_axes, float32, monkeypatch):
    network = tiny_models.semantic_network().eval()
    data = torch.from_numpy(np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32))
    ours = window(step, mirror_axes).scores(network, data)
    theirs = predictors_scores(network, data, step, mirror_axes, monkeypatch)
    assert ours.shape == (15, *shape)
    assert ours.std() > 0.1
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_number_of_threads_changes_no_digit(float32):
    network = tiny_models.semantic_network().eval()
    data = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 60, 60, 6)).astype(np.float32))
    one, three = (window(threads=n).scores(network, data) for n in (1, 3))
    assert torch.equal(one, three)


def test_scores_move_to_main_memory_where_the_devices_is_too_small(float32, monkeypatch):
    """The first try to make room for them fails, as a GPU does that is full."""
    network = tiny_models.semantic_network().eval()
    data, view, real, tries = torch.zeros(1, 32, 32, 4), window(), SlidingWindow._scores, []

    def full_at_first(*args):
        tries.append(args)
        if len(tries) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*args)

    monkeypatch.setattr(SlidingWindow, "_scores", full_at_first)
    assert view.scores(network, data).shape == (15, 32, 32, 4)
    assert len(tries) == 2


@pytest.mark.parametrize("filled", ["a ball with a hole", "a corner", "everything"])
def test_the_crop_is_nnunets(filled):
    from nnunetv2.preprocessing.cropping.cropping import crop_to_nonzero as nnunets

    data = np.zeros((12, 14, 6), np.float32)
    if filled == "a ball with a hole":
        data[3:8, 4:9, 1:5] = 7
        data[5, 6, 2:4] = 0
    else:
        data[: 3 if filled == "a corner" else None] = 2
    found, outside, box = crop_to_nonzero(data)
    theirs, mask, theirs_box = nnunets(data[None])
    np.testing.assert_array_equal(found, theirs[0])
    np.testing.assert_array_equal(outside, mask[0])
    assert [[part.start, part.stop] for part in box] == theirs_box


def test_an_image_of_zeros_stays_whole():
    found, outside, _ = crop_to_nonzero(np.zeros((3, 4, 5), np.float32))
    assert found.shape == (3, 4, 5)
    assert (outside == -1).all()


def test_results_of_many_items_come_in_order_and_do_not_pile_up():
    started = []
    with ThreadPoolExecutor(2) as pool:
        results = map_ahead(pool, lambda n: started.append(n) or n * n, range(50), ahead=3)
        assert next(results) == 0
        assert len(started) <= 4
        assert list(results) == [n * n for n in range(1, 50)]


def imported(code: str, names: tuple[str, ...]) -> list[str]:
    """Return which of `names` a fresh interpreter has imported after `code`."""
    asked = f"import sys; {code}; print(*[name for name in {names} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return check_output([sys.executable, "-c", asked], text=True, env=environment).split()


def test_segmenting_starts_without_nnunets_training_and_readers():
    """They take longer to import than the weights to load; a job should not wait for what it never uses."""
    code = "import wirbel.learning.semantic.semantic_model, wirbel.learning.instance.instance_model"
    assert imported(code, ("torch", *HEAVY)) == ["torch"]


def test_stages_without_a_network_start_without_torch():
    stages = ("resample", "merge", "features", "cohort", "contact_sheet")
    code = "import " + ", ".join(f"wirbel.stages.{stage}" for stage in stages)
    assert imported(code, ("numpy", "torch", "snakemake")) == ["numpy"]


def test_half_precision_weights_are_those_of_a_coarse_gaussian():
    """Their middle is 1000; the tile's corners, where a Gaussian all but vanishes, keep the smallest step."""
    weight = half_weights((24, 160, 128))
    assert weight.dtype == torch.float16
    assert weight[12, 80, 64] == weight.max() == 1000
    assert (weight[0, 0, 0] == weight.min()) & (weight.min() > 0.5)
