"""Number formats and threads change the speed, never more than the last digits of a result."""

import contextlib
import threading

import numpy as np
import pytest
import torch
from support.models import tiny_models

from wirbel.learning import precision
from wirbel.learning.parallel import sample_threads, usable_threads
from wirbel.learning.training.background import BackgroundBatches

CPU = torch.device("cpu")


def pretend(monkeypatch, **capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)


def test_without_bfloat16_instructions_the_network_computes_in_float32(monkeypatch):
    pretend(monkeypatch, avx512=True)
    assert isinstance(precision.quick_arithmetic(CPU), contextlib.nullcontext)
    with precision.quick_arithmetic(CPU), torch.no_grad():
        scores = tiny_models.instance_network()(torch.zeros(1, 14, 16, 16, 8))
    assert scores.dtype == torch.float32


@pytest.mark.parametrize(("device", "held"), [("cuda", True), ("cpu", False)])
def test_on_a_gpu_sums_are_added_up_in_one_order(device, held):
    with torch.backends.cudnn.flags(deterministic=False, benchmark=True):
        precision.choose_device(device)
        assert torch.backends.cudnn.deterministic is held
        assert torch.backends.cudnn.benchmark is not held


@pytest.mark.parametrize("instruction", ["avx512_bf16", "amx_bf16"])
def test_with_bfloat16_instructions_it_computes_in_bfloat16(monkeypatch, instruction):
    pretend(monkeypatch, **{instruction: True})
    with precision.quick_arithmetic(CPU):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == torch.bfloat16


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("mixed", [False, True])
def test_single_precision_on_a_processor_keeps_the_format_of_a_plain_network(
    monkeypatch, device, exact, mixed
):
    pretend(monkeypatch, avx512_bf16=mixed)
    layout = precision.memory_format(torch.device(device), exact)
    plain = device == "cpu" and (exact or not mixed)
    assert layout is (torch.contiguous_format if plain else torch.channels_last_3d)


def test_both_formats_agree_wherever_the_network_is_sure(monkeypatch):
    inputs = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 14, 16, 16, 8))).float()
    network, answers = tiny_models.instance_network().eval(), []
    for capabilities in {}, {"avx512_bf16": True}:
        pretend(monkeypatch, **capabilities)
        with precision.quick_arithmetic(CPU), torch.no_grad():
            answers.append(network(inputs)[0].float())
    exact, quick = answers
    assert not torch.equal(exact, quick)
    best, second = exact.sort(0, descending=True).values[:2]
    sure = best - second > 0.1
    assert sure.float().mean() > 0.3
    assert torch.equal(exact.argmax(0)[sure], quick.argmax(0)[sure])


def test_the_device_is_the_gpu_where_there_is_one(monkeypatch):
    for available, expected in (True, "cuda"), (False, "cpu"):
        monkeypatch.setattr(torch.cuda, "is_available", lambda answer=available: answer)
        assert precision.choose_device("auto").type == expected
    assert precision.choose_device("cpu").type == "cpu"


def test_threads_of_the_pool_compute_without_helpers():
    with sample_threads(2) as pool:
        assert set(pool.map(lambda _: torch.get_num_threads(), range(4))) == {1}
    assert usable_threads(3) == 3
    assert usable_threads(0) >= 1


def test_batches_come_in_order_from_the_number_asked_for():
    batches = BackgroundBatches(lambda number: number**2, first=3)
    assert [next(batches) for _ in range(3)] == [9, 16, 25]
    batches.close()


def test_an_error_while_making_a_batch_reaches_the_consumer():
    def make(number):
        if number == 1:
            raise ValueError("batch 1 is broken")
        return number

    batches = BackgroundBatches(make)
    assert next(batches) == 0
    with pytest.raises(ValueError, match="batch 1 is broken"):
        next(batches)
    batches.close()


def test_closing_stops_the_thread_even_while_it_waits_for_room():
    before = threading.active_count()
    batches = BackgroundBatches(lambda number: number, ahead=1)
    next(batches)
    batches.close()
    assert threading.active_count() == before
