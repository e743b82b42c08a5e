"""SPIDER as it is downloaded: tiny MetaImage files, laid out as BIDS."""

import numpy as np
import pytest
import SimpleITK as sitk

from wirbel.command.main import main
from wirbel.command.references import spider as command
from wirbel.errors import ScanError
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.references.metaimage import read_metaimage
from wirbel.io.references.spider import MASKS, list_spider, write_spider_as_bids
from wirbel.io.tabular.tables import read_rows
from wirbel.stages import spider

SAGITTAL = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
"""Columns of a sagittal scan: its first axis runs to the back (P), its second to the head, its third to the left."""


def write_mha(path, numbers, spacing=(0.5, 0.5, 4.0)):
    image = sitk.GetImageFromArray(np.asarray(numbers))
    image.SetSpacing(spacing)
    image.SetDirection(SAGITTAL)
    image.SetOrigin((10.0, 20.0, 30.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


@pytest.fixture
def downloaded(tmp_path):
    """Two patients; the first has a T1w and a T2 SPACE scan too, the second is one of validation."""
    folder = tmp_path / "spider"
    for number in (1, 2):
        values = np.arange(24, dtype=np.int16).reshape(2, 3, 4) * number
        write_mha(folder / "images" / f"{number}_t2.mha", values)
        write_mha(folder / "masks" / f"{number}_t2.mha", (values % 3).astype(np.uint8))
    for name in ("1_t1", "1_t2_SPACE"):
        write_mha(folder / "images" / f"{name}.mha", values)
        write_mha(folder / "masks" / f"{name}.mha", values % 2)
    (folder / "overview.csv").write_text(
        "new_file_name,subset,sex,Manufacturer\n1_t1,training,F,A\n1_t2,training,F,A\n2_t2,validation,M,B\n"
    )
    return folder


def test_a_metaimage_file_keeps_its_voxels_and_their_places(downloaded):
    volume = read_metaimage(downloaded / "images" / "1_t2.mha")
    assert volume.data.shape == (4, 3, 2) and volume.data[1, 0, 0] == 1
    assert volume.axes == ("P", "I", "L")
    assert volume.spacing_mm.tolist() == [0.5, 0.5, 4.0]
    # the first voxel, (10, 20, 30) in LPS; one step along the first axis goes 0.5 mm to the back
    assert volume.grid.to_world([0, 0, 0]).tolist() == [-10.0, -20.0, 30.0]
    assert volume.grid.to_world([1, 0, 0]).tolist() == [-10.0, -20.5, 30.0]


def test_only_t2w_scans_are_taken_with_what_the_overview_says(downloaded, tmp_path):
    scans = list_spider(downloaded)
    assert [scan.image.name for scan in scans] == ["1_t2.mha", "2_t2.mha"]
    bids = tmp_path / "bids"
    assert write_spider_as_bids(scans, bids) == []
    image = read_volume(bids / "sub-2" / "anat" / "sub-2_T2w.nii.gz")
    assert image.data.max() == 46 and image.axes == ("P", "I", "L")
    mask = read_volume(bids / MASKS / "sub-1_mask.nii.gz")
    assert np.allclose(mask.affine, image.affine) and set(np.unique(mask.data)) == {0, 1, 2}
    assert read_rows(bids / "participants.tsv") == [
        {"participant_id": "sub-1", "subset": "training", "sex": "F", "Manufacturer": "A"},
        {"participant_id": "sub-2", "subset": "validation", "sex": "M", "Manufacturer": "B"},
    ]


def test_a_subset_alone(downloaded, tmp_path, capsys):
    words = ["--spider-dir", str(downloaded), "--bids-dir", str(tmp_path / "bids")]
    assert spider.main([*words, "--subset", "validation"]) == 0
    assert [path.name for path in (tmp_path / "bids").glob("sub-*")] == ["sub-2"]
    assert spider.main([*words, "--subset", "test"]) == 1
    assert "expected scans of the subset test such as images/1_t2.mha" in capsys.readouterr().err


def test_a_damaged_scan_is_left_out_and_told(downloaded, tmp_path):
    (downloaded / "images" / "1_t2.mha").write_bytes(b"ObjectType = Image\nno more")
    (fault,) = write_spider_as_bids(list_spider(downloaded), tmp_path / "bids")
    assert "sub-1 is left out: 1_t2.mha: expected a MetaImage file" in fault
    assert (tmp_path / "bids" / "sub-2" / "anat" / "sub-2_T2w.nii.gz").exists()
    with pytest.raises(ScanError):
        read_metaimage(downloaded / "images" / "1_t2.mha")


def test_another_folder_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="found no images and no masks; unpack images.zip"):
        list_spider(tmp_path)


def test_what_exists_is_kept(downloaded, tmp_path):
    scans = list_spider(downloaded)
    write_spider_as_bids(scans, tmp_path / "bids")
    image = tmp_path / "bids" / "sub-1" / "anat" / "sub-1_T2w.nii.gz"
    before = image.stat().st_mtime_ns
    write_spider_as_bids(scans, tmp_path / "bids")
    assert image.stat().st_mtime_ns == before


def test_one_command_prepares_runs_and_evaluates(downloaded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines, words = [], []
    monkeypatch.setattr(command.subprocess, "call", lambda line: lines.append(line) or 0)
    monkeypatch.setattr(command, "evaluated", lambda given: words.append(given) or 0)
    assert main(["spider", str(downloaded), "work", "batch_size=8", "--by", "Manufacturer"]) == 0
    (line,), (given,) = lines, words
    assert "bids_dir=work/bids" in line and "output_dir=work/results" in line
    assert "batch_size=8" in line
    assert given[:6] == [
        "--output-dir",
        "work/results",
        "--reference",
        "work/bids/derivatives/masks",
        "--scheme",
        "spider",
    ]
    assert given[-2:] == ["--by", "Manufacturer"] and "--published" in given
    assert (tmp_path / "work" / "bids" / "sub-2").is_dir(), "the subset validation is the default"


def test_a_run_that_did_not_end_is_not_evaluated(downloaded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command.subprocess, "call", lambda line: 1)
    monkeypatch.setattr(command, "evaluated", lambda given: pytest.fail("evaluated"))
    assert main(["spider", str(downloaded), "work"]) == 1


def test_a_folder_that_is_not_spider_is_one_sentence(tmp_path, capsys):
    assert main(["spider", str(tmp_path), str(tmp_path / "work")]) == 2
    told = capsys.readouterr().err
    assert "expected the folders images and masks of SPIDER" in told and "Traceback" not in told
