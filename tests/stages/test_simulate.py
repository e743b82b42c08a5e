"""The simulated cohort: what is written, in turn and for good; phantoms are replaced by tiny boxes."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
import yaml
from support.deliveries.stations import tall

from wirbel.core.geometry import Volume
from wirbel.core.stitching.stations import stitched
from wirbel.errors import ScanError
from wirbel.ingest.stations import converted_session
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.sidecars import read_json
from wirbel.io.tabular.tables import read_rows
from wirbel.phantom.imaging.stations import NAMES
from wirbel.plan.series_rules import stations_of
from wirbel.stages import simulate


@pytest.fixture
def calls(monkeypatch) -> list[tuple[int, str | None]]:
    """Replace the phantom by a box; return the list of (seed, region) it was asked for."""
    asked: list[tuple[int, str | None]] = []

    def tiny_phantom(seed: int, region: str | None = None):
        asked.append((seed, region))
        image = np.random.default_rng(seed).integers(0, 900, (8, 9, 10)).astype(np.float32)
        labels = np.zeros(image.shape, np.uint8)
        labels[2:5, 2:5, 2:5] = 49
        affine = np.diag([3.0, 0.8, 0.8, 1.0])
        truth = {
            "scan": {"region": region or "lumbar", "presacral_vertebrae": 24},
            "vertebrae": [{"label": 20, "height_anterior_mm": 27.12345, "fully_visible": True}],
            "discs": [{"level": "L1-L2", "disc_height_mm": None}],
            "levels": [{"label": 20, "level": "L1", "canal_ap_body_mm": 16.0}],
        }
        return SimpleNamespace(
            image=Volume(image, affine),
            subregion=Volume(labels, affine),
            vertebra=Volume(np.where(labels, 20, 0).astype(np.uint8), affine),
            truth=truth,
        )

    monkeypatch.setattr(simulate, "make_phantom", tiny_phantom)
    return asked


def run(folder: Path, *more: str) -> int:
    return simulate.main(["--bids-dir", str(folder), *more])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_cohort_is_a_bids_data_set_with_its_truth(tmp_path, calls):
    assert run(tmp_path, "--count", "2", "--seed", "5", "--regions", "whole", "lumbar") == 0
    assert calls == [(5, "whole"), (6, "lumbar")]
    assert set(contents(tmp_path)) == {
        "dataset_description.json",
        "participants.json",
        "participants.tsv",
        "derivatives/truth/truth.json",
        "derivatives/truth/.bidsignore",
        "derivatives/truth/dataset_description.json",
        "derivatives/truth/scans.csv",
        "derivatives/truth/vertebrae.csv",
        "derivatives/truth/discs.csv",
        "derivatives/truth/levels.csv",
        *(
            f"{folder}sub-sim000{n}/anat/sub-sim000{n}_{ending}"
            for n in (1, 2)
            for folder, ending in [
                ("", "T2w.nii.gz"),
                ("", "T2w.json"),
                ("derivatives/truth/", "desc-subregion_dseg.nii.gz"),
                ("derivatives/truth/", "desc-vertebra_dseg.nii.gz"),
                ("derivatives/truth/", "truth.json"),
            ]
        ),
    }
    image = nib.load(tmp_path / "sub-sim0001/anat/sub-sim0001_T2w.nii.gz")
    assert image.get_data_dtype() == np.int16
    vertebrae = read_rows(tmp_path / "derivatives/truth/vertebrae.csv")
    assert vertebrae[0]["scan_id"] == "sub-sim0001"
    assert vertebrae[0]["height_anterior_mm"] == "27.123"
    assert vertebrae[0]["fully_visible"] == "true"
    assert read_rows(tmp_path / "derivatives/truth/discs.csv")[0]["disc_height_mm"] == ""
    assert read_json(tmp_path / "derivatives/truth/truth.json")["scans"][1]["seed"] == 6


def test_any_region_leaves_the_choice_to_the_phantom(tmp_path, calls):
    run(tmp_path, "--count", "1", "--regions", "any")
    assert calls == [(1, None)]


def test_the_last_files_are_cut_short_on_purpose(tmp_path, calls):
    run(tmp_path, "--count", "2", "--broken", "1")
    read_volume(tmp_path / "sub-sim0001/anat/sub-sim0001_T2w.nii.gz")
    broken = tmp_path / "sub-sim0002/anat/sub-sim0002_T2w.nii.gz"
    with pytest.raises(EOFError):
        gzip.decompress(broken.read_bytes())
    with pytest.raises(ScanError, match=broken.name):
        read_volume(broken)
    measured = {row["scan_id"] for row in read_rows(tmp_path / "derivatives/truth/vertebrae.csv")}
    assert measured == {"sub-sim0001"}


def test_run_again_it_makes_nothing_and_changes_nothing(tmp_path, calls):
    run(tmp_path, "--count", "2", "--broken", "1")
    before = contents(tmp_path)
    calls.clear()
    run(tmp_path, "--count", "2", "--broken", "1")
    assert calls == []
    assert contents(tmp_path) == before


def test_only_what_is_missing_or_damaged_or_ordered_otherwise_is_made_again(tmp_path, calls):
    run(tmp_path, "--count", "4", "--seed", "1", "--regions", "whole")
    before = contents(tmp_path)
    calls.clear()
    (tmp_path / "sub-sim0002/anat/sub-sim0002_T2w.nii.gz").write_bytes(b"half")
    (tmp_path / "derivatives/truth/sub-sim0003/anat/sub-sim0003_truth.json").unlink()
    run(tmp_path, "--count", "4", "--seed", "1", "--regions", "whole")
    assert calls == [(2, "whole"), (3, "whole")]
    assert contents(tmp_path) == before
    calls.clear()
    run(tmp_path, "--count", "4", "--seed", "1", "--regions", "whole", "lumbar")
    assert calls == [(2, "lumbar"), (4, "lumbar")]


def test_several_processes_write_the_same_bytes(tmp_path, calls):
    run(tmp_path / "one", "--count", "3")
    run(tmp_path / "two", "--count", "3", "--processes", "2")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_more_broken_files_than_files_are_refused(tmp_path, calls):
    with pytest.raises(SystemExit):
        run(tmp_path, "--count", "1", "--broken", "2")


def test_another_data_set_is_never_simulated_into(tmp_path, capsys):
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-01\t61\n")
    assert simulate.main(["--bids-dir", str(tmp_path), "--count", "1"]) == 1
    assert "is another data set (it holds participants.tsv)" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["participants.tsv"]


def test_stations_are_delivered_as_zipped_dicom_with_their_truth(tmp_path, monkeypatch):
    """What ingest makes of them is the scan they were cut from."""
    image = tall(rows=260)
    labels = Volume(np.zeros(image.data.shape, np.uint8), image.affine)
    truth = {"scan": {}, "vertebrae": [], "discs": [], "levels": []}
    phantom = SimpleNamespace(image=image, subregion=labels, vertebra=labels, truth=truth)
    monkeypatch.setattr(simulate, "make_phantom", lambda seed, region=None: phantom)
    assert run(tmp_path / "a", "--count", "2", "--stations", "--broken", "1") == 0
    assert run(tmp_path / "b", "--count", "2", "--stations", "--broken", "1") == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    folder = tmp_path / "a" / "sourcedata" / "sub-sim0001"
    assert sorted(path.name for path in folder.iterdir()) == ["chest.zip", "lumbar.zip", "neck.zip"]
    settings = yaml.safe_load((tmp_path / "a/sourcedata/stations.yaml").read_text())
    rules = stations_of(settings["stations"], settings["series"])
    assert settings["dicom"] and list(rules) == list(NAMES)
    found = converted_session([folder], rules).together()
    assert (list(found.found), found.missing) == (list(NAMES), {})
    rows = read_rows(tmp_path / "a/derivatives/truth/sub-sim0001/anat/sub-sim0001_stations.tsv")
    result = stitched({name: one.volume for name, one in found.found.items()})
    neck = -np.array([float(rows[0][f"header_shift_{way}_mm"]) for way in ("right", "front", "up")])
    seam = result.seams[0]
    moved = (seam.shift_right_mm, seam.shift_front_mm, seam.shift_up_mm)
    np.testing.assert_allclose(moved, neck, atol=0.5)
    broken = converted_session([folder.with_name("sub-sim0002")], rules).together()
    assert list(broken.missing.values()) == ["archive_damaged"]


def test_stations_need_a_whole_spine(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tmp_path / "a", "--stations", "--regions", "lumbar")
    assert "expected --regions whole with --stations" in capsys.readouterr().err
