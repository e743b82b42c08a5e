"""OpenVINO computes the same networks on a processor as torch, up to rounding, and says so."""

import socket
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.models import tiny_models
from torch import nn

from wirbel.core.method.names import OPENVINO, TORCH
from wirbel.errors import InfrastructureError
from wirbel.learning.instance.instance_model import InstanceModel
from wirbel.learning.instance.published_network import PublishedUNet
from wirbel.learning.processor import engine as engines
from wirbel.learning.processor.engine import Engine
from wirbel.learning.semantic.frugal import FrugalResidualEncoderUNet
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.models import engine as choice
from wirbel.models.engine import engine_of, engine_parameter
from wirbel.plan.plan import Plan, Wishes, engines_so_far, plan_file, write_plan
from wirbel.plan.stage_plan import StagePlan
from wirbel.runner import steps

CPU = torch.device("cpu")
needs_openvino = pytest.mark.skipif(not find_spec("openvino"), reason="needs wirbel[cpu-engine]")


def residual() -> nn.Module:
    return FrugalResidualEncoderUNet(
        1,
        n_stages=3,
        features_per_stage=(8, 12, 16),
        conv_op=nn.Conv3d,
        kernel_sizes=[(3, 3, 1), (3, 3, 3), (3, 3, 3)],
        strides=[(1, 1, 1), (2, 2, 1), (2, 2, 2)],
        n_blocks_per_stage=(1, 2, 2),
        num_classes=5,
        n_conv_per_stage_decoder=(1, 1),
        conv_bias=True,
        norm_op=nn.InstanceNorm3d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
        deep_supervision=False,
    )


NETWORKS = {
    "own semantic": (tiny_models.semantic_network, 1, (32, 32, 4)),
    "own instance": (tiny_models.instance_network, 14, (32, 32, 8)),
    "published instance": (lambda: PublishedUNet(8, 11), 11, (32, 24, 16)),
    "residual semantic": (residual, 1, (32, 32, 8)),
}


def network(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = NETWORKS[name][0]().eval()
    for parameter in made.parameters():  # such as normalisations, which begin as ones and zeros
        parameter.data += 0.1 * torch.rand(parameter.shape, generator=torch.Generator())
    return made


def inputs(name: str, seed: int = 0) -> torch.Tensor:
    _, channels, size = NETWORKS[name]
    drawn = np.random.default_rng(seed).normal(size=(1, channels, *size))
    return torch.from_numpy(drawn.astype(np.float32))


def compiled(made: nn.Module, name: str, threads: int = 1) -> Engine:
    found = Engine(made, tuple(inputs(name).shape), CPU, threads, OPENVINO)
    assert found.name == OPENVINO
    return found


@needs_openvino
@pytest.mark.parametrize("name", NETWORKS)
def test_scores_are_those_of_torch_up_to_rounding(name):
    made = network(name)
    with torch.inference_mode():
        expected = made(inputs(name))
    found = compiled(made, name).forward(inputs(name))
    assert found.dtype == torch.float32
    scale = expected.abs().max()
    assert torch.allclose(found, expected, rtol=0, atol=2e-6 * scale)
    assert expected.std() > 0.01 * scale


@needs_openvino
def test_a_score_is_the_same_bytes_every_time_and_with_any_number_of_threads():
    name = "own semantic"
    made = network(name)
    given = [inputs(name, seed) for seed in range(6)]
    alone = [compiled(made, name).forward(x) for x in given]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(compiled(made, name, 3).forward, given))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))
    assert not torch.equal(alone[0], alone[1])


@needs_openvino
def test_weights_of_another_fold_are_taken_over():
    name = "own instance"
    made = network(name)
    engine = compiled(made, name)
    before = engine.forward(inputs(name))
    made.head.bias.data += 1
    assert torch.equal(engine.forward(inputs(name)), before)
    engine.renew()
    assert torch.allclose(engine.forward(inputs(name)), before + 1, atol=1e-4)


@needs_openvino
def test_nothing_is_sent_anywhere(monkeypatch):
    def refuse(*args):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert compiled(network("own semantic"), "own semantic").name == OPENVINO


@needs_openvino
def test_a_mean_over_many_voxels_is_as_exact_as_in_torch():
    """Half a million numbers added up one after another lose two digits more."""
    shape = (1, 8, 96, 96, 48)
    x = 3 + torch.rand(shape, generator=torch.Generator().manual_seed(0))
    norm = nn.GroupNorm(4, 8).eval()
    expected = _exact(x, 4)
    found = Engine(nn.Sequential(norm), shape, CPU, 1, OPENVINO).forward(x)
    assert (found - expected).abs().max() < 5e-6


def _exact(x: torch.Tensor, groups: int) -> torch.Tensor:
    parts = x.double().reshape(groups, -1)
    mean, variance = parts.mean(1, keepdim=True), parts.var(1, keepdim=True, correction=0)
    return ((parts - mean) / (variance + 1e-5).sqrt()).reshape(x.shape)


class Odd(nn.Module):
    def forward(self, x):
        return torch.sigmoid(x)


@needs_openvino
@pytest.mark.parametrize(
    "odd",
    [
        Odd(),
        nn.Sequential(nn.Conv3d(2, 2, 1, groups=2)),
        nn.Sequential(nn.Conv3d(2, 2, 3, padding=1, padding_mode="reflect")),
        nn.Sequential(nn.InstanceNorm3d(2, track_running_stats=True)),
        nn.Sequential(nn.Softplus()),
    ],
)
def test_a_network_with_a_layer_that_is_not_translated_stays_with_torch(odd, capsys):
    x = torch.ones(1, 2, 4, 4, 4)
    found = Engine(odd.eval(), (1, 2, 4, 4, 4), CPU, 1, OPENVINO)
    assert (found.name, found.forward) == (TORCH, odd)
    assert "computed by torch" in capsys.readouterr().err
    assert torch.equal(found.forward(x), odd(x))


def test_without_openvino_a_plan_that_asks_for_it_ends_in_a_remedy(monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(InfrastructureError, match="install wirbel.cpu-engine.*engine=torch"):
        Engine(Odd(), (1, 1, 4, 4, 4), CPU, 1, OPENVINO)
    assert Engine(Odd(), (1, 1, 4, 4, 4), CPU, 1, TORCH).name == TORCH
    assert Engine(Odd(), (1, 1, 4, 4, 4), torch.device("cuda"), 1, OPENVINO).name == TORCH


@pytest.mark.parametrize(
    ("setting", "method", "installed", "flags", "expected"),
    [
        ("auto", "none", True, "sse avx2", OPENVINO),
        ("auto", "published", True, "sse avx2", OPENVINO),
        ("auto", "spineps", True, "sse avx2", TORCH),
        ("auto", "none", False, "sse avx2", TORCH),
        ("auto", "none", True, "avx2 avx512_bf16", TORCH),
        ("auto", "none", True, "avx2 amx_bf16", TORCH),
        ("auto", "none", True, "sse", TORCH),
        ("torch", "none", True, "avx2", TORCH),
        ("openvino", "spineps", False, "sse", OPENVINO),
    ],
)
def test_what_auto_means(monkeypatch, tmp_path, setting, method, installed, flags, expected):
    processor = tmp_path / "cpuinfo"
    processor.write_text(f"processor : 0\nflags : {flags}\n")
    monkeypatch.setattr(choice, "PROCESSOR", processor)
    monkeypatch.setattr(choice, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(choice, "GRAPHICS", ())
    assert engine_of(setting, method) == expected


@pytest.fixture
def quick_with_openvino(monkeypatch, tmp_path):
    """A machine without GPU, on which `auto` means OpenVINO in a new folder."""
    (tmp_path / "cpuinfo").write_text("flags : avx2\n")
    monkeypatch.setattr(choice, "PROCESSOR", tmp_path / "cpuinfo")
    monkeypatch.setattr(choice, "find_spec", lambda name: object())
    monkeypatch.setattr(choice, "GRAPHICS", ())
    return monkeypatch


def test_auto_keeps_the_engine_of_a_folder_on_any_machine(quick_with_openvino):
    assert engine_of("auto", "none") == OPENVINO
    assert engine_of("auto", "none", earlier=TORCH) == TORCH
    quick_with_openvino.setattr(choice, "find_spec", lambda name: None)
    assert engine_of("auto", "none") == TORCH
    assert engine_of("auto", "none", earlier=OPENVINO) == OPENVINO
    assert engine_of("torch", "none", earlier=OPENVINO) == TORCH


def test_auto_means_torch_where_a_gpu_or_other_machines_compute(quick_with_openvino, tmp_path):
    assert engine_of("auto", "none", on_cluster=True) == TORCH
    quick_with_openvino.setattr(choice, "GRAPHICS", (tmp_path,))
    assert engine_of("auto", "none") == TORCH


def test_the_last_plan_tells_the_engine_of_a_folder(tmp_path):
    assert engines_so_far(tmp_path) == {}
    semantic = StagePlan("semantic", "code", {"engine": OPENVINO})
    older = StagePlan("instance", "code", {})
    write_plan(tmp_path, Plan((semantic, older), {}, Wishes(), {}, "", ""))
    assert engines_so_far(tmp_path) == {"semantic": OPENVINO, "instance": TORCH}
    plan_file(tmp_path).write_text("{")
    assert engines_so_far(tmp_path) == {}


def test_where_linux_does_not_tell_the_processor_auto_means_torch(monkeypatch):
    monkeypatch.setattr(choice, "PROCESSOR", Path("/nowhere/cpuinfo"))
    assert engine_of("auto", "none") == TORCH


def test_sidecars_name_the_engine_unless_it_is_torch():
    assert engine_parameter(TORCH, TORCH) == {}
    assert engine_parameter(OPENVINO, TORCH) == {"ProcessorEngine": "openvino, torch"}


def test_a_record_names_what_computed(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert steps._device(SimpleNamespace(engine=OPENVINO)) == "cpu openvino"
    assert steps._device(SimpleNamespace(engine=TORCH)) == "cpu torch"
    assert steps._device(SimpleNamespace()) == "cpu"
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert steps._device(SimpleNamespace(engine=OPENVINO)) == "cuda"


@needs_openvino
def test_both_models_give_the_labels_of_torch_where_the_network_is_sure(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)  # single precision, as OpenVINO has
    folder = tiny_models.write_semantic(tmp_path / "semantic")
    image = np.random.default_rng(0).normal(1000, 300, (40, 50, 6)).astype(np.float32)
    by_torch, by_openvino = (
        SemanticModel(folder, "cpu", 2, engine=name) for name in (TORCH, OPENVINO)
    )
    given = by_torch.normalise(image)
    expected = by_torch.segment(given, image.shape)
    found = by_openvino.segment(given, image.shape)
    assert by_openvino.engine.name == OPENVINO
    assert (found == expected).mean() > 0.999
    assert len(np.unique(found)) > 1

    folder = tiny_models.write_instance(tmp_path / "instance")
    cutouts = np.random.default_rng(0).integers(40, 50, (3, 32, 32, 8)).astype(np.uint8)
    answers = [
        InstanceModel(folder, "cpu", 2, engine=name).predict(cutouts) for name in (TORCH, OPENVINO)
    ]
    assert (answers[0] == answers[1]).mean() > 0.999
