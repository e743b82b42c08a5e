"""The translator's loss and patches, and what a few steps of training learn."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from support.models import tiny_models

from wirbel.core.geometry import Grid
from wirbel.learning.checkpoints import load_into
from wirbel.learning.semantic.semantic_plans import PatchNetwork
from wirbel.learning.translation.pairs import Pair, seen
from wirbel.learning.translation.translator_network import (
    build_translator,
    standardised,
    start_weights,
    translation_loss,
)
from wirbel.learning.translation.translator_trainer import patch_of
from wirbel.models.errors import ModelError

NETWORK = PatchNetwork(
    patch_size=(16, 16, 4), features=(4, 6, 8), in_plane_stages=1, thick_pooling_stages=(2,)
)


def test_the_loss_counts_known_voxels_and_steps_between_them_alone():
    """A ramp of step 2 along the first axis: its mean is 3, its steps are 2 along one axis of three."""
    ramp = torch.arange(4.0)[:, None, None].expand(4, 2, 2)[None, None] * 2
    everywhere = torch.ones_like(ramp, dtype=torch.bool)
    nothing = torch.zeros_like(ramp)
    assert translation_loss(ramp, nothing, everywhere).item() == pytest.approx(3 + 2 / 3)
    first = everywhere.clone()
    first[:, :, 1:] = False
    assert translation_loss(ramp, nothing, first).item() == 0
    assert translation_loss(ramp, ramp + 5, everywhere).item() == pytest.approx(5)


def test_a_patch_of_a_smaller_pair_is_padded_with_what_is_not_known():
    image = np.arange(8 * 20 * 3).reshape(8, 20, 3)
    pair = Pair(image, image / 100, np.ones(image.shape, np.uint8))
    found, ct, known = patch_of(pair, (16, 16, 4), np.random.default_rng(3))
    assert found.shape == ct.shape == known.shape == (1, 16, 16, 4)
    assert known.sum() == 8 * 16 * 3
    assert known[0, :8, :, :3].all()
    start = int(round(float(ct[0, 0, 0, 0]) * 100)) // 3
    np.testing.assert_allclose(
        found[0, :8, :, :3].numpy(), standardised(image)[:, start : start + 16], atol=1e-6
    )


def test_only_what_a_tomogram_shows_is_known():
    """It begins two voxels below the top and is half as wide."""
    ct = Grid((5, 10, 10), np.diag([1.0, 1, 1, 1]))
    scan = Grid((10, 10, 12), np.diag([1.0, 1, 1, 1]))
    known = seen(ct, scan)
    assert known[:5, :, :10].all()
    assert not known[5:].any() and not known[:, :, 10:].any()


def test_a_translator_can_start_from_a_semantic_network_or_another_translator(tmp_path):
    """Of a semantic network it takes all but the last layer."""
    semantic = tiny_models.SEMANTIC
    size = {field.name: getattr(semantic, field.name) for field in fields(PatchNetwork)}
    network = build_translator(PatchNetwork(**size))
    folder = tiny_models.write_semantic(tmp_path / "semantic", seed=3)
    own_head = network.decoder.seg_layers[0].weight.clone()
    load_into(network, start_weights(folder, network))
    taught = tiny_models.semantic_network(seed=3)
    inner = "decoder.stages.0.convs.0.conv.weight"
    difference = (network.state_dict()[inner] - taught.state_dict()[inner]).abs().max()
    assert difference < 1e-3, "weights are stored in half precision"
    assert torch.equal(network.decoder.seg_layers[0].weight, own_head)
    instance = tiny_models.write_instance(tmp_path / "instance")
    with pytest.raises(ModelError):
        start_weights(instance, network)


def test_a_few_steps_learn_which_intensity_has_which_attenuation():
    """Blocks of three intensities; attenuation is no monotonic function of them."""
    random = np.random.default_rng(2)
    kinds = np.repeat(np.repeat(random.integers(0, 3, (8, 8, 4)), 4, 0), 4, 1)
    image = np.array([0.0, 100, 200])[kinds] + random.normal(0, 5, kinds.shape)
    ct = np.array([-1.0, 2.0, 0.0], np.float32)[kinds]
    torch.manual_seed(1)
    network = build_translator(NETWORK)
    optimizer = torch.optim.AdamW(network.parameters(), 0.01)
    inputs, wanted = (torch.from_numpy(a)[None, None] for a in (standardised(image), ct))
    known = torch.ones_like(wanted, dtype=torch.bool)
    for _ in range(40):
        optimizer.zero_grad()
        translation_loss(network(inputs), wanted, known).backward()
        optimizer.step()
    found = network(inputs).detach()
    assert np.corrcoef(found.numpy().ravel(), ct.ravel())[0, 1] > 0.9
