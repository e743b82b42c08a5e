"""nnU-Net's networks give the same numbers, while they keep fewer of their intermediate arrays."""

import weakref

import pytest
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from torch import nn

from wirbel.learning.heap import give_back, share_one_heap
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


def network_of(kind) -> nn.Module:
    torch.manual_seed(1)
    made = NETWORKS[kind.__name__](1, 3, **{PER_STAGE[kind]: [2, 2, 1]}, **LAYERS, num_classes=4)
    return made.eval()


@pytest.fixture
def image():
    return torch.randn(1, 1, 16, 16, 8, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kind", PER_STAGE)
@torch.inference_mode()
def test_scores_are_those_of_the_networks_own_way_of_computing(kind, image):
    network = network_of(kind)
    assert torch.equal(network(image), kind.forward(network, image))


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


@pytest.mark.parametrize("call", [share_one_heap, give_back])
def test_memory_can_be_managed_again_and_again(call):
    assert call() is call() is None
