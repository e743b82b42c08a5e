"""The instance stage on folders as they were published: both variants run, damaged ones are refused."""

import json
import os

import numpy as np
import pytest
import torch
from support.models import published_folders
from support.studies.one_batch import OneBatch

from wirbel.io.sidecars import read_arrays
from wirbel.learning.instance.published_network import PublishedUNet
from wirbel.phantom import make_phantom
from wirbel.stages import instance

FOUND = "sub-01_predictions.npz"
CHECKPOINT = "version_0/epoch=99_weights.ckpt"


class Malicious:
    """Unpickling this makes a folder; a real one would do worse."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture(scope="module")
def labels():
    """The true subregion map of a phantom's lumbar spine on a grid of 3 x 3 x 6 mm."""
    options = {"in_plane_mm": 2.5, "slice_mm": 5.0, "with_truth": False}
    return make_phantom(3, "lumbar", model_grid_spacing_mm=(3, 3, 6), **options).model_subregion


@pytest.fixture
def study(tmp_path, labels):
    study = OneBatch(tmp_path, "sub-01")
    study.pretend("semantic", {"sub-01": ("sub-01_subregion.nii.gz", labels)})
    return study


@pytest.mark.parametrize("variant", published_folders.VARIANTS)
def test_both_variants_run_and_give_the_answer_of_their_network(
    study, labels, tmp_path, variant, monkeypatch
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)  # processors halve numbers differently
    folder = published_folders.write_instance(tmp_path / "model", variant)
    assert study.run(instance, folder, compatibility="none") == 0
    found = read_arrays(study.file("instance", FOUND))
    known = published_folders.VARIANTS[variant]
    network = PublishedUNet(known["width"], known["channels"]).eval()
    tensors = published_folders.instance_tensors(known["width"], known["channels"])
    network.load_state_dict({name.removeprefix("network."): t for name, t in tensors.items()})
    padded = np.pad(labels.data, 40)
    start = found["origin"][2] + 40
    block = padded[tuple(slice(a, a + n) for a, n in zip(start, (32, 32, 8), strict=True))]
    channel = np.where((block >= 41) & (block <= 49), block - 40, np.where(block == 50, 9, 0))
    one_hot = torch.from_numpy(np.eye(known["channels"], dtype=np.float32)[channel])
    with torch.no_grad():
        scores = network(one_hot.permute(3, 0, 1, 2)[None])[0]
    sure = np.diff(np.sort(scores.numpy(), 0)[-2:], axis=0)[0] > 1e-4
    assert sure.mean() > 0.9, "the order of sums may decide the other voxels differently"
    expected = scores.argmax(0).numpy()
    assert len(np.unique(expected[sure])) > 1
    np.testing.assert_array_equal(found["labels"][2][sure], expected[sure])


def refused(study, folder, capsys) -> str:
    """Run the stage, which must fail and leave nothing; return what it said."""
    assert study.run(instance, folder) == 1
    assert not study.file("instance", FOUND).exists()
    assert not list(study.out.rglob("*.tmp"))
    return capsys.readouterr().err


def test_a_checkpoint_with_a_foreign_object_is_refused_and_nothing_runs(study, tmp_path, capsys):
    trace = tmp_path / "trace"
    folder = published_folders.write_instance(tmp_path / "model", callbacks=Malicious(trace))
    said = refused(study, folder, capsys)
    assert "epoch=99_weights.ckpt was refused: it contains an object of type posix.mkdir" in said
    assert not trace.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"state_dict": None}, "has no state_dict"),
        ({"state_dict": {"model.weight": torch.ones(1)}}, "contains another network"),
        (
            {"state_dict": published_folders.instance_tensors(8, 7)},
            "expected width 16 with 10 input channels or width 8 with 11 input channels, found 8 with 7",
        ),
        (
            {"state_dict": dict(list(published_folders.instance_tensors(8, 11).items())[:-2])},
            "2 tensors are missing",
        ),
        (
            {
                "state_dict": {
                    **published_folders.instance_tensors(8, 11),
                    "network.more": torch.ones(1),
                }
            },
            "1 are unknown (such as ['more'])",
        ),
        (
            {
                "state_dict": {
                    **published_folders.instance_tensors(8, 11),
                    "network.final_conv.bias": torch.ones(5),
                }
            },
            "size mismatch for final_conv.bias",
        ),
    ],
)
def test_another_content_is_refused_in_one_sentence(study, tmp_path, capsys, changes, sentence):
    folder = published_folders.write_instance(tmp_path / "model", **changes)
    assert sentence in refused(study, folder, capsys)


def test_a_checkpoint_cut_short_is_refused(study, tmp_path, capsys):
    folder = published_folders.write_instance(tmp_path / "model")
    whole = (folder / CHECKPOINT).read_bytes()
    (folder / CHECKPOINT).write_bytes(whole[: len(whole) // 2])
    assert "is not a complete checkpoint" in refused(study, folder, capsys)


def test_no_checkpoint_and_two_of_them_are_refused(study, tmp_path, capsys):
    folder = published_folders.write_instance(tmp_path / "model")
    (folder / "old_weights.ckpt").write_bytes(b"")
    assert "exactly one *weights*.ckpt, found old_weights.ckpt, epoch=99_weights.ckpt" in refused(
        study, folder, capsys
    )
    (folder / "old_weights.ckpt").unlink()
    (folder / CHECKPOINT).unlink()
    assert "found none" in refused(study, folder, capsys)


def test_a_cut_out_that_the_network_cannot_halve_is_refused(study, tmp_path, capsys):
    folder = published_folders.write_instance(
        tmp_path / "model", config={"cutout_size": [32, 32, 10]}
    )
    assert "expected multiples of the network's reduction [8, 8, 8]" in refused(
        study, folder, capsys
    )


def test_an_unknown_field_is_refused_by_name(study, tmp_path, capsys):
    folder = published_folders.write_instance(tmp_path / "model")
    file = folder / "inference_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "patch_overlap": 0.5}))
    assert "unknown field 'patch_overlap'" in refused(study, folder, capsys)
