"""The instance stage from label map to one prediction per vertebral body, through the real runner."""

import json
import shutil

import numpy as np
import pytest
import torch
from support.models import tiny_models
from support.studies.one_batch import OneBatch

import wirbel.learning.instance.instance_model as instance_model
from wirbel.core.instances.cutouts import body_centres
from wirbel.io.sidecars import read_arrays
from wirbel.learning.exported.export import INSTANCE_CHANNELS
from wirbel.learning.instance.instance_network import one_hot
from wirbel.phantom import make_phantom
from wirbel.stages import instance

FOUND = "sub-01_predictions.npz"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_instance(tmp_path_factory.mktemp("models") / "instance")


@pytest.fixture(scope="module")
def labels():
    """The true subregion map of a phantom's lumbar spine on the model grid, 3 x 3 x 6 mm."""
    options = {"in_plane_mm": 2.5, "slice_mm": 5.0, "with_truth": False}
    spacing = tiny_models.SPACING_MM
    return make_phantom(3, "lumbar", model_grid_spacing_mm=spacing, **options).model_subregion


@pytest.fixture
def study(tmp_path, labels):
    """Three scans: a spine, a map without any vertebral body, and a failure of an earlier stage."""
    study = OneBatch(tmp_path, "sub-01", "sub-02", "sub-03")
    empty = labels.with_data(labels.data * 0)
    maps = {"sub-01": labels, "sub-02": empty}
    results = {name: (f"{name}_subregion.nii.gz", volume) for name, volume in maps.items()}
    study.pretend("semantic", {**results, "sub-03": None})
    return study


def test_every_vertebral_body_gets_a_prediction_from_the_top_down(study, labels, model):
    assert study.run(instance, model) == 0
    found = read_arrays(study.file("instance", FOUND))
    bodies = len(body_centres(labels))
    assert bodies >= 5
    assert found["labels"].shape == (bodies, *tiny_models.INSTANCE.cutout_size)
    assert found["labels"].dtype == np.uint8
    assert found["origin"].dtype == np.int32
    assert found["labels"].max() <= 3
    assert (np.diff(found["centre_mm"][:, 2]) < 0).all(), "world z falls from one to the next"


def test_a_prediction_is_the_networks_answer_to_the_cut_out_at_its_origin(study, labels, model):
    """Checked for one body in the middle, whose cut-out lies inside the map along the spine."""
    assert study.run(instance, model) == 0
    found = read_arrays(study.file("instance", FOUND))
    number = len(found["labels"]) // 2
    padded = np.pad(labels.data, 32)
    start = found["origin"][number] + 32
    size = tiny_models.INSTANCE.cutout_size
    block = padded[tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))]
    centre = labels.grid.to_index(found["centre_mm"][number])
    middle = found["origin"][number] + np.array(size) // 2
    np.testing.assert_allclose(middle, centre, atol=0.51)
    loaded = instance_model.InstanceModel(model, "cpu", 1)
    inputs = one_hot(torch.from_numpy(block[None]), INSTANCE_CHANNELS, 14)
    with torch.no_grad():
        scores = loaded.network(inputs)[0]
    best = scores.argmax(0).numpy()
    sure = np.diff(np.sort(scores.numpy(), 0)[-2:], axis=0)[0] > 0.05
    assert sure.mean() > 0.3, "half precision may decide the other voxels differently"
    np.testing.assert_array_equal(found["labels"][number][sure], best[sure])


def test_a_map_without_a_body_fails_for_that_reason_and_the_others_go_on(study, model):
    assert study.run(instance, model) == 0
    records = study.records("instance")
    outcome = {name: (r.status, r.reason) for name, r in records.items()}
    assert outcome == {
        "sub-01": ("ok", ""),
        "sub-02": ("failed", "no_spine_found"),
        "sub-03": ("skipped", "not_sagittal"),
    }


def test_a_second_run_has_nothing_to_do_and_loads_no_network(study, model, monkeypatch, capsys):
    assert study.run(instance, model) == 0
    written = study.file("instance", FOUND).stat().st_mtime_ns

    def refuse(*args, **more):
        raise AssertionError("the network was loaded")

    monkeypatch.setattr(instance_model, "InstanceModel", refuse)
    assert study.run(instance, model) == 0
    assert study.file("instance", FOUND).stat().st_mtime_ns == written
    study.file("instance", FOUND).unlink()
    assert study.run(instance, model) == 1, "now there is something to do"
    assert "the network was loaded" in capsys.readouterr().err


def test_threads_do_not_change_a_byte(study, model):
    contents = []
    for threads in "1", "2":
        shutil.rmtree(study.out / "work" / "instance", ignore_errors=True)
        assert study.run(instance, model, "--threads", threads) == 0
        contents.append(study.file("instance", FOUND).read_bytes())
    assert contents[0] == contents[1]


def test_a_malformed_setting_stops_the_job_and_is_named(study, model, tmp_path, capsys):
    folder = shutil.copytree(model, tmp_path / "malformed")
    settings = json.loads((folder / "inference_config.json").read_text())
    settings["cutout_size"] = [32, 32, -8]
    (folder / "inference_config.json").write_text(json.dumps(settings))
    assert study.run(instance, folder) == 1
    assert "inference_config.json: field 'cutout_size[" in capsys.readouterr().err


def test_weights_of_another_network_stop_the_job(study, model, tmp_path, capsys):
    folder = shutil.copytree(model, tmp_path / "other")
    settings = json.loads((folder / "inference_config.json").read_text())
    settings["network"]["features"] = [4, 6, 10]
    (folder / "inference_config.json").write_text(json.dumps(settings))
    assert study.run(instance, folder) == 1
    assert "cannot start" in capsys.readouterr().err
