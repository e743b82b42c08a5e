"""The semantic stage on nnU-Net results folders as they were published: they run, damaged ones are refused."""

import itertools
import json
import os

import numpy as np
import pytest
import torch
from support.models import published_folders
from support.studies.one_batch import OneBatch

from wirbel.core.geometry import Volume
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.stages import semantic

LABELS = np.array([0, 49, 61, 100])


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """Exact arithmetic, so that classes can be compared."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """An image (P, I, R) as large as one patch, so that one tile covers it; no voxel is zero."""
    return np.random.default_rng(0).integers(1, 1000, (48, 32, 4)).astype(np.float32)


def expected_scores(image: np.ndarray, seed: int, mirrored: bool = False) -> np.ndarray:
    """Return the network's scores (4, P, I, R), computed on the array as SimpleITK would hand it over."""
    data = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 1, 0)))
    data = ((data - data.mean()) / data.std(correction=0))[None, None]
    network = published_folders.semantic_network(seed)
    sets = [axes for n in range(4) for axes in itertools.combinations((2, 3, 4), n)]
    with torch.no_grad():
        flips = sets if mirrored else [()]
        total = sum(network(data.flip(axes)).flip(axes) for axes in flips) / len(flips)
    return total[0].numpy().transpose(0, 3, 2, 1)


def agrees(folder, image: np.ndarray, scores: np.ndarray) -> None:
    """Check a folder's map against the labels of the best scores, where these are clear."""
    model = SemanticModel(folder, "cpu", 1)
    found = model.segment(model.normalise(image), image.shape)
    order = np.sort(scores, axis=0)
    sure = order[-1] - order[-2] > 1e-3
    assert sure.mean() > 0.9
    assert len(np.unique(found)) >= 3, "the answer is no constant"
    np.testing.assert_array_equal(found[sure], LABELS[scores.argmax(0)][sure])


@pytest.mark.parametrize("spelling", published_folders.SPELLINGS)
def test_the_network_sees_the_image_as_nnunets_readers_give_it(image, tmp_path, spelling):
    plans = published_folders.nnunet_plans(spelling)
    folder = published_folders.write_semantic(tmp_path / "model", plans=plans)
    agrees(folder, image, expected_scores(image, 0))


def test_all_folds_are_averaged(image, tmp_path):
    config = {"available_folds": 3}
    seeds = {"0": 5, "1": 6, "2": 7}
    folder = published_folders.write_semantic(tmp_path / "model", seeds, config=config)
    agrees(folder, image, sum(expected_scores(image, seed) for seed in (5, 6, 7)))


def test_mirroring_is_done_when_the_folder_asks_for_it(image, tmp_path):
    config = {"inference_augmentation": True}
    folder = published_folders.write_semantic(tmp_path / "model", config=config)
    agrees(folder, image, expected_scores(image, 0, mirrored=True))


@pytest.mark.parametrize("folds", ["all", 5, [0, 1]])
def test_the_fold_of_all_cases_is_taken_by_name_and_where_there_is_no_other(image, tmp_path, folds):
    config = {"available_folds": folds}
    folder = published_folders.write_semantic(tmp_path / "model", {"all": 3}, config=config)
    agrees(folder, image, expected_scores(image, 3))


def test_the_best_checkpoint_stands_in_for_a_missing_final_one(image, tmp_path):
    folder = published_folders.write_semantic(tmp_path / "model", name="checkpoint_best.pth")
    agrees(folder, image, expected_scores(image, 0))


def test_a_folder_within_the_folder_may_hold_the_results(image, tmp_path):
    inner = published_folders.write_semantic(tmp_path / "model" / "nnUNetTrainer__plans__3d")
    (inner / "inference_config.json").rename(tmp_path / "model" / "inference_config.json")
    agrees(tmp_path / "model", image, expected_scores(image, 0))


def test_plans_of_another_voxel_size_are_resampled_to_and_back(image, tmp_path):
    """A constant image but for one bright half: the edge stays where it is on the model grid."""
    plans = published_folders.nnunet_plans(spacing_mm=(6.0, 1.5, 1.5))
    folder = published_folders.write_semantic(tmp_path / "model", plans=plans)
    model = SemanticModel(folder, "cpu", 1)
    given = model.normalise(image, (3.0, 3.0, 6.0))
    assert tuple(given.data.shape) == (1, 4, 64, 96)
    assert model.segment(given, image.shape).shape == image.shape


def study(tmp_path, image) -> OneBatch:
    study = OneBatch(tmp_path, "sub-01")
    volume = Volume(image.astype(np.int16), np.diag([3.0, 3.0, 6.0, 1.0]))
    study.pretend("resample", {"sub-01": ("sub-01_image.nii.gz", volume)})
    return study


def test_the_stage_runs_on_a_published_folder(image, tmp_path):
    folder = published_folders.write_semantic(tmp_path / "model")
    batch = study(tmp_path, image)
    assert batch.run(semantic, folder) == 0
    assert batch.records("semantic")["sub-01"].status == "ok"


def refused(tmp_path, image, folder, capsys) -> str:
    """Run the stage, which must fail and leave nothing; return what it said."""
    batch = study(tmp_path, image)
    assert batch.run(semantic, folder) == 1
    assert not batch.file("semantic", "sub-01_subregion.nii.gz").exists()
    lines = capsys.readouterr().err.strip().splitlines()
    (said,) = [line for line in lines if ": started: " not in line]
    return said


class Malicious:
    """Unpickling this makes a folder; a real one would do worse."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_checkpoint_with_a_foreign_object_is_refused_and_nothing_runs(image, tmp_path, capsys):
    trace = tmp_path / "trace"
    folder = published_folders.write_semantic(tmp_path / "model", logging=Malicious(trace))
    said = refused(tmp_path, image, folder, capsys)
    assert "checkpoint_final.pth was refused: it contains an object of type posix.mkdir" in said
    assert not trace.exists()


def test_a_checkpoint_cut_short_is_refused(image, tmp_path, capsys):
    folder = published_folders.write_semantic(tmp_path / "model")
    path = folder / "fold_0" / "checkpoint_final.pth"
    path.write_bytes(path.read_bytes()[:-100])
    assert "is not a complete checkpoint" in refused(tmp_path, image, folder, capsys)


def test_a_missing_fold_and_a_missing_file_are_named(image, tmp_path, capsys):
    config = {"available_folds": 2}
    folder = published_folders.write_semantic(tmp_path / "model", config=config)
    assert "missing in fold_1" in refused(tmp_path, image, folder, capsys)
    (folder / "plans.json").unlink()
    assert "there is no plans.json" in refused(tmp_path, image, folder, capsys)


def test_a_missing_dataset_file_is_named(image, tmp_path, capsys):
    folder = published_folders.write_semantic(tmp_path / "model")
    (folder / "dataset.json").unlink()
    assert "dataset.json" in refused(tmp_path, image, folder, capsys)


def test_another_number_of_input_channels_is_refused(image, tmp_path, capsys):
    folder = published_folders.write_semantic(tmp_path / "model")
    dataset = json.loads((folder / "dataset.json").read_text())
    dataset["channel_names"]["1"] = "T1w"
    (folder / "dataset.json").write_text(json.dumps(dataset))
    assert "the image as its only input" in refused(tmp_path, image, folder, capsys)


def test_weights_of_another_network_are_refused(image, tmp_path, capsys):
    weights = published_folders.semantic_network(0).state_dict()
    weights = {
        name: value[..., :1] if value.dim() == 5 else value for name, value in weights.items()
    }
    folder = published_folders.write_semantic(tmp_path / "model", network_weights=weights)
    assert "size mismatch" in refused(tmp_path, image, folder, capsys)


def test_an_unknown_field_is_refused_by_name(image, tmp_path, capsys):
    config = {"patch_overlap": 0.5}
    folder = published_folders.write_semantic(tmp_path / "model", config=config)
    assert "unknown field 'patch_overlap'" in refused(tmp_path, image, folder, capsys)
