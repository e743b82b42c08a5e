"""Weights on disk: nothing in a file is executed, and what is exported is what was trained."""

import json
import os
import zipfile

import numpy as np
import pytest
import torch
from safetensors import safe_open
from support.models import tiny_models

import wirbel.learning.semantic.semantic_model as semantic_model
from wirbel.learning.checkpoints import (
    UnsafeCheckpointError,
    load_into,
    newest_of,
    read_pickled_checkpoint,
    read_weights,
    write_weights,
)
from wirbel.learning.exported.export import INSTANCE_CHANNELS
from wirbel.learning.instance.instance_model import InstanceModel
from wirbel.learning.instance.instance_network import one_hot
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.models.folders.inference_config import read_inference_config


class Malicious:
    """Unpickling this makes a folder; a real one would do worse."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def float32(monkeypatch):
    """Exact arithmetic, so that results can be compared bit by bit."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)


def halved(network: torch.nn.Module) -> torch.nn.Module:
    """Round the weights to what half precision can hold, as the export does."""
    return network.half().float().eval()


def test_a_malicious_checkpoint_is_refused_and_nothing_in_it_runs(tmp_path):
    path, trace = tmp_path / "checkpoint_final.pth", tmp_path / "trace"
    torch.save({"network_weights": {}, "logging": Malicious(trace)}, path)
    with pytest.raises(UnsafeCheckpointError, match="checkpoint_final.pth was refused"):
        read_pickled_checkpoint(path)
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists(), "the file is a real threat: opened carelessly it does run"


def test_a_model_folder_with_a_malicious_checkpoint_is_refused(tmp_path):
    folder, trace = tiny_models.write_semantic(tmp_path / "semantic"), tmp_path / "trace"
    (folder / "fold_0" / "checkpoint_final.safetensors").unlink()
    torch.save({"network_weights": Malicious(trace)}, folder / "fold_0" / "checkpoint_final.pth")
    with pytest.raises(UnsafeCheckpointError):
        SemanticModel(folder, "cpu", 1)
    assert not trace.exists()


def test_what_nnunets_own_checkpoints_hold_can_be_read(tmp_path):
    content = {
        "logging": {"mean_fg_dice": [np.float64(0.5)], "dice": [np.array([0.1, 0.2])]},
        "_best_ema": np.float32(0.4),
    }
    torch.save(content, tmp_path / "c.pth")
    read = read_pickled_checkpoint(tmp_path / "c.pth")
    assert read["logging"]["mean_fg_dice"] == [0.5]
    assert read["logging"]["dice"][0].tolist() == [0.1, 0.2]


def test_checkpoints_written_with_numpy_1_can_be_read(tmp_path):
    """As those were that have been published: numpy's module was called numpy.core then."""
    content = {"best": np.float64(0.5), "dice": np.array([0.1, 0.2]), "epochs": np.int64(7)}
    torch.save(content, tmp_path / "new.pth")
    with (
        zipfile.ZipFile(tmp_path / "new.pth") as new,
        zipfile.ZipFile(tmp_path / "old.pth", "w") as old,
    ):
        for name in new.namelist():
            data = new.read(name).replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray")
            old.writestr(name, data)
    assert b"numpy.core.multiarray" in (tmp_path / "old.pth").read_bytes()
    read = read_pickled_checkpoint(tmp_path / "old.pth")
    assert (read["best"], read["dice"].tolist(), read["epochs"]) == (0.5, [0.1, 0.2], 7)


def test_the_type_that_a_checkpoint_asked_for_is_named(tmp_path):
    torch.save({"optimizer": torch.optim.Adam}, tmp_path / "c.pth")
    with pytest.raises(UnsafeCheckpointError, match=r"an object of type torch.optim.adam.Adam,"):
        read_pickled_checkpoint(tmp_path / "c.pth")
    torch.save({"names": np.array(["a"])}, tmp_path / "c.pth")
    with pytest.raises(UnsafeCheckpointError, match=r"an object of type numpy.dtypes.StrDType,"):
        read_pickled_checkpoint(tmp_path / "c.pth")


def test_the_exported_semantic_network_answers_as_the_trained_one(tmp_path, float32):
    """An image as large as one patch is one tile: its classes are those of a plain forward pass."""
    model = SemanticModel(tiny_models.write_semantic(tmp_path / "semantic"), "cpu", 1)
    image = np.random.default_rng(0).integers(1, 100, (32, 32, 4)).astype(np.float32)
    trained = halved(tiny_models.semantic_network())
    with torch.no_grad():
        scores = trained(torch.from_numpy((image - image.mean()) / image.std())[None, None])[0]
    best, second = scores.sort(0, descending=True).values[:2]
    sure = (best - second > 1e-2).numpy()  # a tile's scores are kept in half precision
    expected = model.label_table[scores.argmax(0).numpy()]
    found = model.segment(model.normalise(image), image.shape)
    assert sure.mean() > 0.8
    np.testing.assert_array_equal(found[sure], expected[sure])


def test_a_long_scan_is_segmented_in_blocks_without_gaps_or_seams(tmp_path, float32, monkeypatch):
    """160 voxels along P in five blocks of 32, each computed with a patch of 32 on either side.

    Tiles stand every 16 voxels with and without blocks, so that every voxel sees the same ones.
    """
    model = SemanticModel(tiny_models.write_semantic(tmp_path / "semantic"), "cpu", 1)
    image = np.random.default_rng(0).integers(1, 100, (160, 32, 4)).astype(np.float32)
    given = model.normalise(image)
    whole = model.segment(given, image.shape)
    monkeypatch.setattr(semantic_model, "MOST_BYTES_OF_SCORES", 1)
    blocks = model.segment(given, image.shape)
    np.testing.assert_array_equal(blocks, whole)


def test_the_exported_instance_network_answers_as_the_trained_one(tmp_path, float32):
    model = InstanceModel(tiny_models.write_instance(tmp_path / "instance"), "cpu", 1)
    labels = np.random.default_rng(0).choice([0, 41, 49, 100], (3, 32, 32, 8)).astype(np.uint8)
    trained = halved(tiny_models.instance_network())
    with torch.no_grad():
        scores = trained(one_hot(torch.from_numpy(labels), INSTANCE_CHANNELS, 14))
    best, second = scores.sort(1, descending=True).values[:, :2].unbind(1)
    sure = (best - second > 1e-4).numpy()
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(model.predict(labels)[sure], scores.argmax(1).numpy()[sure])


def test_exported_folders_hold_no_pickle_and_say_how_they_were_trained(tmp_path):
    for write in tiny_models.write_semantic, tiny_models.write_instance:
        folder = write(tmp_path / write.__name__)
        suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()}
        assert suffixes == {".json", ".safetensors", ".tsv"}
        assert "torch\t2." in (folder / "training.tsv").read_text()
        assert read_inference_config(folder).spacing_mm == tiny_models.SPACING_MM


def test_half_precision_is_stored_and_tensors_with_two_names_once(tmp_path):
    shared = torch.arange(3.0)
    path = tmp_path / "w.safetensors"
    write_weights(path, {"a": shared, "alias": shared, "b": torch.ones(2)}, {"note": "x"})
    with safe_open(path, framework="pt") as file:
        assert set(file.keys()) == {"a", "b"}
        assert file.get_tensor("a").dtype == torch.float16
    weights, metadata = read_weights(path)
    assert weights["a"].tolist() == [0, 1, 2]
    assert weights["a"].dtype == torch.float32
    assert metadata == {"note": "x"}


def test_weights_that_do_not_fit_are_named(tmp_path):
    network = tiny_models.instance_network()
    weights = dict(network.state_dict())
    weights["unheard.of"] = weights.pop("head.bias")
    with pytest.raises(ValueError, match=r"head.bias.*unheard.of"):
        load_into(network, weights)


def test_the_final_checkpoint_is_preferred_to_the_latest(tmp_path):
    with pytest.raises(FileNotFoundError, match="train first"):
        newest_of(tmp_path)
    (tmp_path / "checkpoint_latest.pth").touch()
    assert newest_of(tmp_path).name == "checkpoint_latest.pth"
    (tmp_path / "checkpoint_final.pth").touch()
    assert newest_of(tmp_path).name == "checkpoint_final.pth"


def test_plans_name_a_network_that_nnunet_itself_can_build(tmp_path):
    """The folder is standard: nnU-Net's reader of plans finds configuration, patch and kernels."""
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    folder = tiny_models.write_semantic(tmp_path / "semantic")
    plans = PlansManager(json.loads((folder / "plans.json").read_text()))
    configuration = plans.get_configuration("3d_fullres")
    assert configuration.patch_size == [32, 32, 4]
    assert configuration.spacing == list(tiny_models.SPACING_MM)
