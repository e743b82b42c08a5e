"""The resample stage from batch list to manifest: good scans, and every kind of bad file."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from support.models.inference_settings import SETTINGS
from support.studies import planned
from support.studies.batch_lists import update_batches

from wirbel.core.preparation.intensities import TOP
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.sidecars import read_json
from wirbel.manifests.records import read_records
from wirbel.stages import resample

PIR = np.array([[0, 0, 3.3, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
SPACING_MM = [1.5, 1.5, 3.0]
REAL = Path(os.environ.get("WIRBEL_REAL_SCANS", "nowhere"), "bids")
"""Real scans, which are not part of the project: CONTRIBUTING.md."""


@pytest.fixture
def model(tmp_path) -> Path:
    """A model folder with nothing but its settings."""
    folder = tmp_path / "model"
    folder.mkdir()
    settings = {**SETTINGS, "resolution_range": SPACING_MM, "compatibility": "none"}
    (folder / "inference_config.json").write_text(json.dumps(settings))
    return folder


def picture(shape=(64, 72, 9)) -> np.ndarray:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 60, shape)
    data[10:50, 5:65] += 300
    return data.astype(np.int16)


def put(bids: Path, name: str, content: bytes | nib.Nifti1Image) -> Path:
    path = bids / f"sub-{name}" / "anat" / f"sub-{name}_T2w.nii.gz"
    path.parent.mkdir(parents=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        nib.save(content, path)
    return path


def run(bids: Path, output: Path, model: Path, **settings) -> dict:
    (batch,) = update_batches(bids, output, 100)
    models = {**planned.BUILTIN, "semantic": model}
    assert planned.run(resample, output, models, batch=batch, **settings) == 0
    return read_records(output / "work" / "resample" / f"{batch}.tsv")


def test_a_scan_becomes_an_image_on_the_model_grid(tmp_path, model):
    put(tmp_path / "bids", "a", nib.Nifti1Image(picture(), PIR))
    record = run(tmp_path / "bids", tmp_path / "out", model, n4=False)["sub-a"]
    assert record.status == "ok"
    image = read_volume(tmp_path / "out/work/resample/sub-a_image.nii.gz")
    assert image.axes == ("P", "I", "R")
    np.testing.assert_allclose(image.spacing_mm, SPACING_MM, atol=1e-4)
    assert image.data.dtype == np.int16
    assert (image.data.min(), image.data.max()) == (0, TOP)
    steps = read_json(tmp_path / "out/work/resample/sub-a_image.json")
    assert steps["BiasField"] == "not asked for"
    assert steps["SourceShape"] == [64, 72, 9]


def test_the_same_scan_gives_the_same_bytes(tmp_path, model):
    put(tmp_path / "bids", "a", nib.Nifti1Image(picture(), PIR))
    name = "work/resample/sub-a_image.nii.gz"
    for output in ("one", "two"):
        run(tmp_path / "bids", tmp_path / output, model)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def truncated() -> bytes:
    content = gzip.compress(nib.Nifti1Image(picture(), PIR).to_bytes())
    return content[: len(content) // 2]


def claiming(shape: tuple[int, int, int]) -> bytes:
    """A small file whose header speaks of `shape`."""
    header = nib.Nifti1Image(np.zeros((2, 2, 2), np.int16), PIR).header
    header["dim"][1:4] = shape
    header["vox_offset"] = 352
    return gzip.compress(header.binaryblock + bytes(200_000))


def wrong_magic() -> bytes:
    content = bytearray(nib.Nifti1Image(picture(), PIR).to_bytes())
    content[0:4] = content[344:348] = b"XXXX"
    return gzip.compress(bytes(content))


def colour() -> nib.Nifti1Image:
    return nib.Nifti1Image(np.zeros((64, 72, 9), [("R", "u1"), ("G", "u1"), ("B", "u1")]), PIR)


def without_orientation() -> nib.Nifti1Image:
    image = nib.Nifti1Image(picture(), PIR)
    image.set_sform(None, code=0)
    image.set_qform(None, code=0)
    return image


AXIAL = np.diag([0.7, 0.7, 5.0, 1.0])
BROKEN = {
    "empty": (b"", "unreadable"),
    "text": (b"this is not an image", "unreadable"),
    "truncated": (truncated(), "unreadable"),
    "magic": (wrong_magic(), "unreadable"),
    "huge": (claiming((30000, 30000, 30000)), "unreadable"),
    "zero": (claiming((64, 0, 9)), "unreadable"),
    "negative": (claiming((64, -5, 9)), "unreadable"),
    "complex": (nib.Nifti1Image(picture().astype(np.complex64), PIR), "unreadable"),
    "colour": (colour(), "unreadable"),
    "series": (nib.Nifti1Image(np.stack([picture()] * 2, 3), PIR), "not_3d"),
    "flat": (nib.Nifti1Image(picture((64, 72, 1))[..., 0], PIR), "not_3d"),
    "axial": (nib.Nifti1Image(picture((72, 72, 30)), AXIAL), "not_sagittal"),
    "blank": (nib.Nifti1Image(np.zeros((64, 72, 9), np.int16), PIR), "bad_intensities"),
    "allnan": (nib.Nifti1Image(np.full((64, 72, 9), np.nan, np.float32), PIR), "bad_intensities"),
    "unoriented": (without_orientation(), "bad_geometry"),
    "slice": (nib.Nifti1Image(picture((64, 72, 1)), PIR), "too_small"),
    "tiny": (nib.Nifti1Image(picture((64, 20, 9)), PIR), "too_small"),
}


def test_each_bad_file_fails_with_its_reason_and_the_good_one_is_done(tmp_path, model):
    for name, (content, _) in BROKEN.items():
        put(tmp_path / "bids", name, content)
    no_files = {
        "folder": Path.mkdir,
        "pipe": os.mkfifo,  # to read it would last for ever
        "device": lambda path: path.symlink_to("/dev/zero"),
        "dangling": lambda path: path.symlink_to("nowhere"),
        "loop": lambda path: path.symlink_to(path.name),
    }
    for name, make in no_files.items():
        (tmp_path / f"bids/sub-{name}/anat").mkdir(parents=True)
        make(tmp_path / f"bids/sub-{name}/anat/sub-{name}_T2w.nii.gz")
    put(tmp_path / "bids", "good", nib.Nifti1Image(picture(), PIR))
    put(tmp_path / "bids", "single", nib.Nifti1Image(picture()[..., None], PIR))
    records = run(tmp_path / "bids", tmp_path / "out", model)
    expected = {f"sub-{name}": reason for name, (_, reason) in BROKEN.items()}
    absent = ("dangling", "loop")
    expected |= {
        f"sub-{name}": "content_missing" if name in absent else "unreadable" for name in no_files
    }
    expected |= {"sub-good": "", "sub-single": ""}
    assert {name: record.reason for name, record in records.items()} == expected
    for name, record in records.items():
        if record.status == "failed":
            assert f"{name}_T2w.nii.gz" in record.detail, "the sentence names the file"
            assert str(tmp_path) not in record.detail, "but not the folder it happens to lie in"


def test_an_unknown_model_is_the_set_ups_fault(tmp_path, model, capsys):
    put(tmp_path / "bids", "a", nib.Nifti1Image(picture(), PIR))
    with pytest.raises(AssertionError):
        run(tmp_path / "bids", tmp_path / "out", tmp_path / "nowhere")
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.skipif(not REAL.is_dir(), reason="WIRBEL_REAL_SCANS names no real scans")
def test_of_the_real_scans_only_the_axial_one_is_refused(tmp_path, model):
    records = run(REAL, tmp_path, model, n4=False)
    failed = {name: record.reason for name, record in records.items() if record.status != "ok"}
    assert failed == {"sub-sctaxial": "not_sagittal"}
    assert len(records) == 5
