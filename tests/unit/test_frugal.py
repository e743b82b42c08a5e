"""nnU-Net's networks give the same numbers, while they keep fewer of their intermediate arrays."""

import sys
import weakref
from subprocess import check_output

import pytest
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from torch import nn

from wirbel.learning.heap import arrays_apart, arrays_together, give_back, share_one_heap
from wirbel.learning.semantic import frugal
from wirbel.learning.semantic.frugal import NETWORKS

LAYERS = {
    "features_per_stage": [4, 6, 8],
    "conv_op": nn.Conv3d,
    "kernel_sizes": [[3, 3, 1], [3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [2, 2, 1], [2, 2, 2]],
    "n_conv_per_stage_decoder": [2, 1],
    "conv_bias": True,
    "norm_op": nn.InstanceNorm3d,
    "norm_op_kwargs": {"affine": True},
    "nonlin": nn.LeakyReLU,
    "nonlin_kwargs": {"inplace": True},
}
PER_STAGE = {PlainConvUNet: "n_conv_per_stage", ResidualEncoderUNet: "n_blocks_per_stage"}


def network_of(kind, **layers) -> nn.Module:
    torch.manual_seed(1)
    settings = {PER_STAGE[kind]: [2, 2, 1], **LAYERS, **layers}
    return NETWORKS[kind.__name__](1, 3, **settings, num_classes=4).eval()


@pytest.fixture
def image():
    return torch.randn(1, 1, 16, 16, 8, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kind", PER_STAGE)
@torch.inference_mode()
def test_scores_are_those_of_the_networks_own_way_of_computing(kind, image):
    network = network_of(kind)
    assert torch.equal(network(image), kind.forward(network, image))


SLICES_FIRST = {
    "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [2, 2, 2], [1, 2, 2]],
}
"""A first stage that looks at slices one by one, entered by halving them."""


@pytest.mark.parametrize("kind", PER_STAGE)
@pytest.mark.parametrize("values", [1, 7000])  # a slice at a time; several, and fewer at the end
@torch.inference_mode()
def test_slabs_give_what_the_whole_array_gives(kind, values, image, monkeypatch):
    network = network_of(kind, **SLICES_FIRST)
    joined = []
    network.decoder.stages[-1].register_forward_pre_hook(lambda *given: pytest.fail("as a whole"))
    first = next(m for m in network.decoder.stages[-1].modules() if isinstance(m, nn.Conv3d))
    first.register_forward_hook(lambda layer, given, found: joined.append(found.shape[2]))
    monkeypatch.setattr(frugal, "VALUES_OF_SLAB", values)
    found = network(image)
    assert sum(joined) == image.shape[2] and len(joined) > 2
    torch.testing.assert_close(found, kind.forward(network_of(kind, **SLICES_FIRST), image))


@torch.inference_mode()
def test_layers_that_look_across_slices_see_the_whole_array(image, monkeypatch):
    network = network_of(PlainConvUNet)
    seen = []
    last = next(m for m in network.decoder.stages[-1].modules() if isinstance(m, nn.Conv3d))
    last.register_forward_hook(lambda layer, given, found: seen.append(found.shape[2]))
    monkeypatch.setattr(frugal, "VALUES_OF_SLAB", 1)
    network(image)
    assert seen == [image.shape[2]]


@torch.inference_mode()
def test_a_skip_connection_is_gone_when_the_last_layer_begins(image):
    network, seen = network_of(PlainConvUNet), {}
    first = network.encoder.stages[0].modules()
    *_, end_of_first_stage = (layer for layer in first if isinstance(layer, nn.LeakyReLU))
    end_of_first_stage.register_forward_hook(
        lambda layer, given, found: seen.update(skip=weakref.ref(found))
    )
    network.decoder.seg_layers[-1].register_forward_pre_hook(
        lambda layer, given: seen.update(kept=seen["skip"]() is not None)
    )
    network(image)
    assert not seen["kept"]
    PlainConvUNet.forward(network, image)
    assert seen["kept"]


@pytest.mark.parametrize("call", [share_one_heap, arrays_apart, arrays_together, give_back])
def test_memory_can_be_managed_again_and_again(call):
    assert call() is call() is None


def test_an_array_lies_outside_of_the_heap_until_the_first_call_is_over():
    code = """
import wirbel.learning.heap as heap, ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
def in_heap():
    (line,) = [line for line in open('/proc/self/maps') if line.rstrip().endswith('[heap]')]
    low, high = (int(part, 16) for part in line.split()[0].split('-'))
    return low <= libc.malloc(8 << 20) < high
heap.arrays_apart(); print(in_heap())
heap.arrays_together(); print(in_heap())
"""
    assert check_output([sys.executable, "-c", code], text=True).split() == ["False", "True"]
