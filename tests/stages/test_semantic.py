"""The semantic stage from model-grid image to cleaned label map, through the real runner."""

import json
import shutil

import numpy as np
import pytest
from support.models import tiny_models
from support.studies.one_batch import OneBatch

import wirbel.learning.semantic.semantic_model as semantic_model
from wirbel.core.geometry import Volume, upright
from wirbel.core.preparation.image import prepare_image
from wirbel.core.semantic.cleaning import clean_semantic
from wirbel.io.nifti.volumes import read_volume
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.models.publish import publish
from wirbel.models.registry import find_model
from wirbel.phantom import make_phantom
from wirbel.plan.networks import identified, planned_source
from wirbel.stages import semantic

FOUND = "sub-01_subregion.nii.gz"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    tiny_models.write_semantic(folder / "semantic")
    tiny_models.write_instance(folder / "instance")
    return folder


@pytest.fixture(scope="module")
def image():
    """A part of a phantom's lumbar spine as the resample stage writes it: 3 x 3 x 6 mm."""
    scan = make_phantom(3, "lumbar", in_plane_mm=2.5, slice_mm=5.0, with_truth=False).image
    whole = prepare_image(scan, "phantom", tiny_models.SPACING_MM, correct_bias=False).image
    return Volume(whole.data[:48, :48, :6], whole.affine)


@pytest.fixture
def study(tmp_path, image):
    study = OneBatch(tmp_path, "sub-01", "sub-02")
    study.pretend("resample", {"sub-01": ("sub-01_image.nii.gz", image), "sub-02": None})
    return study


def loads(monkeypatch) -> list:
    """Count how often a network is loaded."""
    seen, real = [], semantic_model.SemanticModel

    def counting(*args):
        seen.append(args)
        return real(*args)

    monkeypatch.setattr(semantic_model, "SemanticModel", counting)
    return seen


def test_an_image_becomes_the_cleaned_map_of_the_networks_answer(study, image, models):
    assert study.run(semantic, models) == 0
    found = read_volume(study.file("semantic", FOUND))
    assert found.data.dtype == np.uint8
    assert found.data.shape == image.data.shape
    np.testing.assert_allclose(found.affine, image.affine, atol=1e-4)
    stored = read_volume(study.file("resample", "sub-01_image.nii.gz"))
    network = SemanticModel(models / "semantic", "cpu", 1)
    given = network.normalise(image.data)
    answer = stored.with_data(network.segment(given, image.data.shape))
    np.testing.assert_array_equal(found.data, clean_semantic(upright(answer)).data)


def test_a_scan_that_failed_earlier_is_passed_on_with_its_reason(study, models):
    assert study.run(semantic, models) == 0
    record = study.records("semantic")["sub-02"]
    assert (record.status, record.reason, record.detail) == ("skipped", "not_sagittal", "axial")


def test_finished_scans_are_skipped_without_loading_the_network(study, models, monkeypatch):
    seen = loads(monkeypatch)
    assert study.run(semantic, models) == 0
    written = study.file("semantic", FOUND).stat().st_mtime_ns
    assert study.run(semantic, models) == 0
    assert len(seen) == 1
    assert study.file("semantic", FOUND).stat().st_mtime_ns == written


def test_other_weights_recompute(study, models, monkeypatch, tmp_path):
    seen = loads(monkeypatch)
    other = tiny_models.write_semantic(tmp_path / "other" / "semantic", seed=1)
    assert study.run(semantic, models) == 0
    assert study.run(semantic, other) == 0
    assert len(seen) == 2


def test_threads_do_not_change_a_byte(study, models):
    contents = []
    for threads in "1", "2":
        shutil.rmtree(study.out / "work" / "semantic", ignore_errors=True)
        assert study.run(semantic, models, "--threads", threads) == 0
        contents.append(study.file("semantic", FOUND).read_bytes())
    assert contents[0] == contents[1]


def test_an_empty_image_gives_an_empty_map_and_no_error(tmp_path, models):
    study = OneBatch(tmp_path, "sub-01")
    empty = Volume(np.zeros((20, 40, 3), np.int16), np.diag([3.0, 3.0, 6.0, 1.0]))
    study.pretend("resample", {"sub-01": ("sub-01_image.nii.gz", empty)})
    assert study.run(semantic, models) == 0
    assert study.records("semantic")["sub-01"].status == "ok"


def test_damaged_weights_are_refused_before_they_are_opened(
    study, models, monkeypatch, tmp_path, capsys
):
    listed = tmp_path / "checkout" / "config" / "models.yaml"
    publish(models, "mine", "Apache-2.0", listed)
    weights = listed.parents[1] / "models/mine/semantic/fold_0/checkpoint_final.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    for function in (find_model, identified, planned_source):
        monkeypatch.setattr(function, "__defaults__", (listed,))
    seen = loads(monkeypatch)
    assert study.run(semantic, "mine") == 1
    assert not seen
    assert "checkpoint_final.safetensors was changed or damaged" in capsys.readouterr().err


def test_a_malformed_setting_stops_the_job_and_is_named(study, models, tmp_path, capsys):
    folder = shutil.copytree(models / "semantic", tmp_path / "malformed")
    settings = json.loads((folder / "inference_config.json").read_text())
    settings["resolution_range"] = [3.0, 3.0]
    (folder / "inference_config.json").write_text(json.dumps(settings))
    assert study.run(semantic, folder) == 1
    said = capsys.readouterr().err
    assert "inference_config.json: field 'resolution_range'" in said
    assert not study.file("semantic", "b00001.tsv").exists()


def test_a_folder_of_the_wrong_kind_stops_the_job(study, models, capsys):
    assert study.run(semantic, models / "instance") == 1
    assert "give the folder of a semantic model" in capsys.readouterr().err
