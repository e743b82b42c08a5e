"""The setting `compatibility` through the stages: other decisions, other results, said in the sidecars; the default."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.models import published_folders, tiny_models
from support.studies.batch_lists import update_batches
from support.studies.one_batch import OneBatch

from wirbel.core.geometry import Volume
from wirbel.core.labels import DISC_OFFSET, SACRUM
from wirbel.core.spineps.preparation import prepared_grid
from wirbel.io.nifti.volumes import read_volume, write_volume
from wirbel.io.sidecars import read_arrays
from wirbel.models.compatibility import method_of
from wirbel.models.registry import find_model
from wirbel.phantom import make_phantom
from wirbel.stages import instance, merge, resample, semantic

SPACING_MM = (3.0, 3.0, 6.0)
FINE = {"resolution_range": [1.5, 1.5, 3.0], "cutout_size": [64, 64, 16]}
"""Of the instance model: of coarser bodies SPINEPS' erosion leaves nothing."""
AS_SPINEPS = {"compatibility": "spineps"}
OWN_STEPS = {"compatibility": "none"}


@pytest.fixture(scope="module")
def phantom():
    """A lumbar spine: its scan of 2.5 x 2.5 x 5 mm, and its true map on the instance model's grid."""
    options = {"in_plane_mm": 2.5, "slice_mm": 5.0, "with_truth": False}
    return make_phantom(3, "lumbar", model_grid_spacing_mm=(1.5, 1.5, 3.0), **options)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    published_folders.write_semantic(folder / "semantic")
    published_folders.write_instance(folder / "instance", config=FINE)
    return folder


@pytest.fixture
def study(tmp_path, phantom):
    study = OneBatch(tmp_path, "sub-01")
    write_volume(tmp_path / "in/sub-01/anat/sub-01_T2w.nii.gz", phantom.image)
    update_batches(tmp_path / "in", study.out, 1)
    return study


def run_resample(study, models, **more) -> Volume:
    assert study.run(resample, models, n4=False, **more) == 0
    return read_volume(study.file("resample", "sub-01_image.nii.gz"))


def test_the_image_lies_on_the_grid_of_spineps(study, models, phantom):
    own = run_resample(study, models, **OWN_STEPS)
    image = run_resample(study, models, **AS_SPINEPS)
    grid = prepared_grid(phantom.image.grid, ("P", "I", "R"), SPACING_MM)
    assert image.data.shape == grid.shape != own.data.shape
    np.testing.assert_allclose(image.affine, grid.affine, atol=1e-3)
    described = json.loads(study.file("resample", "sub-01_image.json").read_text())
    assert described["Preparation"] == "spineps"


def test_the_semantic_stage_cleans_as_spineps(study, models):
    run_resample(study, models, **AS_SPINEPS)
    assert study.run(semantic, models, **AS_SPINEPS) == 0
    assert study.records("semantic")["sub-01"].status == "ok"


@pytest.fixture
def segmented(study, phantom):
    study.pretend("semantic", {"sub-01": ("sub-01_subregion.nii.gz", phantom.model_subregion)})
    study.pretend_margins("sub-01", phantom.model_subregion)
    return study


def test_cut_outs_and_final_maps_come_out(segmented, models, phantom):
    assert segmented.run(instance, models, **AS_SPINEPS) == 0
    found = read_arrays(segmented.file("instance", "sub-01_predictions.npz"))
    assert found["labels"].shape[1:] == (64, 64, 16)
    assert (np.diff(found["centre_mm"][:, 2]) < 0).all(), "from the top down"
    assert segmented.run(merge, models, **AS_SPINEPS) == 0
    record = segmented.records("merge")["sub-01"]
    assert record.status == "ok", record.detail
    vertebra = read_volume(next(segmented.out.glob("sub-01/anat/*-vertebra_dseg.nii.gz")))
    assert vertebra.data.shape == phantom.image.data.shape
    assert vertebra.data[vertebra.data > 0].min() >= 2, "the topmost vertebra counts as C2"
    sidecar = json.loads(next(segmented.out.glob("sub-01/anat/*-vertebra_dseg.json")).read_text())
    assert sidecar["Compatibility"] == "spineps"
    assert sidecar["Levels"]["method"] == "counted"
    shown = set(np.unique(vertebra.data)) - {0}
    assert {int(label) for label in sidecar["Agreement"]["margin"]} == shown
    assert set(sidecar["Agreement"]["margin"].values()) == {1.0}


def test_another_compatibility_is_another_result(segmented, models):
    assert segmented.run(instance, models, **OWN_STEPS) == 0
    before = segmented.records("instance")["sub-01"].key
    assert segmented.run(instance, models, **AS_SPINEPS) == 0
    assert segmented.records("instance")["sub-01"].key != before


@pytest.mark.parametrize(
    ("kind", "setting", "steps"),
    [
        ("published", {}, "published"),
        ("published", {"compatibility": "none"}, "none"),
        ("own", {}, "none"),
        ("own", {"compatibility": "published"}, "published"),
    ],
)
def test_steps_follow_the_models_folder_unless_told_otherwise(tmp_path, kind, setting, steps):
    writers = {"published": published_folders, "own": tiny_models}[kind]
    for phase in ("semantic", "instance"):
        folder = getattr(writers, f"write_{phase}")(tmp_path / kind / phase)
        file = folder / "inference_config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **setting}))
        model = find_model(str(tmp_path / kind), phase)
        assert method_of("auto", model) == steps
        assert method_of("spineps", model) == "spineps"


def test_the_default_for_published_networks_prepares_the_image_as_spineps(study, models):
    image = run_resample(study, models)
    np.testing.assert_array_equal(image.data, run_resample(study, models, **AS_SPINEPS).data)


def test_the_default_names_the_same_masks_by_what_is_seen(segmented, models):
    """With a sacrum in view SPINEPS calls the disc above the topmost vertebra one of the sacrum."""

    def merged(**more):
        assert segmented.run(instance, models, **more) == 0
        assert segmented.run(merge, models, **more) == 0
        stem = segmented.out / "sub-01/anat/sub-01_desc-"
        maps = [read_volume(f"{stem}{kind}_dseg.nii.gz").data for kind in ("subregion", "vertebra")]
        return *maps, json.loads(Path(f"{stem}vertebra_dseg.json").read_text())["Levels"]["method"]

    counted, named = merged(**AS_SPINEPS), merged()
    assert (counted[2], named[2] in ("sacrum", "estimated")) == ("counted", True)
    np.testing.assert_array_equal(counted[0], named[0])
    parts = [np.where((n > 0) & (n < 26), n, 0) for n in (counted[1], named[1])]
    kept = parts[1] > 0
    names = sorted({*zip(parts[0][kept].tolist(), parts[1][kept].tolist(), strict=True)})
    assert len(names) == len({number for number, _ in names}), "every vertebra has one name"
    assert [name for _, name in names] == sorted(name for _, name in names)
    assert all(name > number for number, name in names), "all of them further down the spine"
    assert not (named[1] == DISC_OFFSET + SACRUM).any()
    assert kept.sum() == (parts[0] > 0).sum()
