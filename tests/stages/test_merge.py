"""The merge stage over one batch: final maps on the scans' own grids, and reasons for failures."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from support.models import tiny_models
from support.spines.spine_boxes import box_spine, counters, oracle
from support.studies import planned
from support.studies.batch_lists import update_batches

from wirbel.core.geometry import Volume, grid_with_spacing, reorient
from wirbel.core.instances.cutouts import body_centres
from wirbel.core.resampling import resample_labels
from wirbel.io.nifti.volumes import read_volume, write_volume
from wirbel.io.sidecars import read_json, write_arrays
from wirbel.manifests.records import Record, read_records, write_records
from wirbel.stages import merge

SPINE = box_spine(range(20, 25))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A semantic and an instance model folder, named in the sidecars."""
    folder = tmp_path_factory.mktemp("models")
    tiny_models.write_semantic(folder / "quick")
    tiny_models.write_instance(folder / "sharp")
    return {"semantic": folder / "quick", "instance": folder / "sharp"}


@pytest.fixture
def study(tmp_path):
    """A scan in another orientation and voxel size than the model grid, with semantic and instance results."""
    data, out = tmp_path / "in", tmp_path / "out"
    stored = reorient(SPINE.labels, ("L", "S", "A"))
    grid = grid_with_spacing(stored.grid, (3.3, 0.8, 0.8))
    for name in ("sub-01", "sub-02"):
        scan = Volume(np.zeros(grid.shape, np.int16), grid.affine)
        path = data / name / "anat" / f"{name}_T2w.nii.gz"
        path.parent.mkdir(parents=True)
        write_volume(path, scan)
    put(out, "sub-01", SPINE.labels, SPINE)
    put(out, "sub-02", SPINE.labels.with_data(SPINE.labels.data * 0), None)
    update_batches(data, out, 8)
    upstream = [Record(name, "ok", key=name) for name in ("sub-01", "sub-02")]
    write_records(out / "work/instance/b00001.tsv", upstream)
    return out, grid


def put(out, name, labels, spine):
    none = np.zeros((0, 4, 4, 4), np.uint8), np.zeros((0, 3), np.int32), np.zeros((0, 3))
    block, origin, centre = none
    if spine:
        found = oracle(labels, counters(spine), body_centres(labels))
        block, origin, centre = found.labels, found.origin, found.centre_mm
    for stage in ("semantic", "instance"):
        (out / "work" / stage).mkdir(parents=True, exist_ok=True)
    write_volume(out / f"work/semantic/{name}_subregion.nii.gz", labels)
    margins = labels.with_data(np.where(labels.data > 0, 204, 0).astype(np.uint8))
    write_volume(out / f"work/semantic/{name}_margin.nii.gz", margins)
    path = out / f"work/instance/{name}_predictions.npz"
    write_arrays(path, labels=block, origin=origin, centre_mm=centre, spacing_mm=labels.spacing_mm)


def run(out, models):
    assert planned.run(merge, out, models, n4=False) == 0
    return read_records(out / "work/merge/b00001.tsv")


def test_maps_tables_and_sidecars_come_out_on_the_scans_own_grid(study, models):
    out, grid = study
    stem = out / "sub-01/anat/sub-01_desc-vertebra_dseg"
    old = Path(f"{stem}.tsv")
    old.parent.mkdir(parents=True)
    old.write_text("index\tname\tcolor\n")
    records = run(out, models)
    assert records["sub-01"].status == "ok"
    assert len(records["sub-01"].outputs) == 4
    vertebra, subregion = (
        read_volume(str(stem).replace("vertebra", kind) + ".nii.gz")
        for kind in ("vertebra", "subregion")
    )
    assert vertebra.data.shape == subregion.data.shape == grid.shape
    assert np.allclose(vertebra.affine, grid.affine, atol=1e-4)
    expected = resample_labels(SPINE.labels.with_data(SPINE.vertebra), grid).data
    for number in SPINE.numbers:
        a, b = vertebra.data == number, expected == number
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.97
    assert not old.exists(), "what numbers mean stands once for all scans"
    sidecar = read_json(f"{stem}.json")
    assert sidecar["Sources"] == ["bids:raw:sub-01/anat/sub-01_T2w.nii.gz"]
    assert sidecar["Models"]["semantic"]["Name"] == "quick"
    assert len(sidecar["Models"]["instance"]["SHA256"]) == 64
    assert sidecar["BiasFieldCorrection"] is False
    agreement = sidecar["Agreement"]
    assert agreement["instance"] == dict.fromkeys(("20", "21", "22", "23", "24"), 1.0)
    assert agreement["votes"] == {"20": 2, "21": 3, "22": 3, "23": 3, "24": 2}
    assert set(map(int, agreement["margin"])) == set(np.unique(vertebra.data)) - {0}
    assert set(agreement["margin"].values()) == {0.7992}, "203 of 254 steps"
    levels = sidecar["Levels"]
    assert (levels["method"], levels["agree"], levels["flags"]) == ("sacrum", None, [])
    assert levels["confidence"] > 0.7
    assert (levels["alternative"], levels["set_aside"]) == ("L2", 0)


def test_a_scan_without_bodies_fails_with_its_reason(study, models):
    record = run(study[0], models)["sub-02"]
    assert (record.status, record.reason) == ("failed", "no_spine_found")
    assert not (study[0] / "sub-02").exists()


def test_the_same_input_gives_the_same_bytes(study, models):
    out, _ = study
    run(out, models)
    files = sorted((out / "sub-01/anat").iterdir())
    before = [path.read_bytes() for path in files]
    (out / "work/batches/b00001.records.tsv").unlink()
    for path in files:
        path.unlink()
    run(out, models)
    assert [path.read_bytes() for path in files] == before


def test_both_maps_carry_the_scans_transforms_and_say_what_contradicts_in_them(study, models):
    """A scan whose qform lies 40 mm beside its sform: every viewer lays the maps over it, whichever it takes."""
    out, _ = study
    scan = out.parent / "in/sub-01/anat/sub-01_T2w.nii.gz"
    image = nib.load(scan)
    moved = image.affine.copy()
    moved[2, 3] += 40
    image.set_sform(image.affine, 3)
    image.set_qform(moved, 1)
    nib.save(image, scan)
    update_batches(out.parent / "in", out, 8)
    assert run(out, models)["sub-01"].status == "ok"
    for kind in ("subregion", "vertebra"):
        stem = f"{out}/sub-01/anat/sub-01_desc-{kind}_dseg"
        header = nib.load(f"{stem}.nii.gz").header
        for field in ("sform_code", "qform_code", "qoffset_z", "quatern_b", "srow_x", "srow_z"):
            np.testing.assert_array_equal(header[field], image.header[field])
        (sentence,) = read_json(f"{stem}.json")["HeaderConflict"]
        assert "up to 40 mm apart" in sentence
