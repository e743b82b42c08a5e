"""Stations that lie in a BIDS folder as NIfTI files (`chunk-1` and so on) become one scan."""

import json

import numpy as np
import pytest
from support.deliveries.ingesting import Study
from support.deliveries.stations import station, tall

from wirbel.core.geometry import reorient
from wirbel.io.nifti.volumes import read_volume, write_volume
from wirbel.io.sidecars import read_json
from wirbel.io.tabular.tables import read_rows
from wirbel.stages import resample
from wirbel.study.listing.dataset import look_up
from wirbel.study.sources.source_settings import source_of

RULES = {name: {"name": f"chunk-{i}"} for i, name in enumerate(("neck", "chest", "lumbar"), 1)}
AXES = (("S", "L", "P"), ("P", "I", "R"), ("R", "A", "S"))


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def chunks(study, name, which=(1, 2, 3), session="", seed=0):
    """Write stations with known shifts as files of a BIDS folder, each stored in another order of axes."""
    image = tall(seed=seed)
    parts = {
        1: station(image, 0, 80, (1.0, -3.0, 3.5), tilt_deg=4, gain=0.8),
        2: station(image, 55, 145, gain=0.9),
        3: station(image, 120, 200, (-1.5, 2.5, -4.0), tilt_deg=-3, gain=0.6),
    }
    stem = "_".join(filter(None, (name, session)))
    folder = study.folder / name / session / "anat"
    for number in which:
        path = folder / f"{stem}_chunk-{number}_T2w.nii.gz"
        write_volume(path, reorient(parts[number], AXES[number - 1]))
    return folder


def run(study, **more):
    return study.run(scans="", dicom=False, stations=RULES, **more)


def test_three_files_become_one_scan_where_they_belong(study):
    chunks(study, "sub-1", session="ses-a")
    record = run(study)["sub-1_ses-a"]
    assert record.outputs[0] == "sub-1/ses-a/anat/sub-1_ses-a_T2w.nii.gz"
    upper, lower = read_rows(study.out / record.outputs[2])
    assert float(upper["shift_front_mm"]) == pytest.approx(3.0, abs=0.5)
    assert float(lower["shift_up_mm"]) == pytest.approx(4.0, abs=0.5)
    volume = read_volume(study.out / record.outputs[0])
    assert volume.data.dtype == np.int16 and volume.data.shape[1] > 190
    assert "ConversionSoftware" not in read_json(study.out / record.outputs[1])
    assert (
        study.run(resample, scans="", dicom=False, stations=RULES, n4=False)["sub-1_ses-a"].status
        == "ok"
    )


def test_missing_and_damaged_files_leave_a_part_that_says_so(study):
    chunks(study, "sub-1", which=(2, 3))
    folder = chunks(study, "sub-2")
    cut = folder / "sub-2_chunk-3_T2w.nii.gz"
    cut.write_bytes(cut.read_bytes()[:1000])
    (chunks(study, "sub-3", which=(2,)) / "sub-3_acq-t1_T2w.nii.gz").write_bytes(b"no station")
    records = run(study)
    told = {name: read_json(study.out / record.outputs[1]) for name, record in records.items()}
    assert told["sub-1"]["MissingStations"] == {"neck": "no_scan"}
    assert told["sub-2"]["MissingStations"] == {"lumbar": "unreadable"}
    assert told["sub-3"]["Stations"] == ["chest"]


def test_what_sidecars_say_of_all_stations_is_told_and_checked(study):
    folder = chunks(study, "sub-1")
    for path in folder.glob("*.nii.gz"):
        content = {
            "EchoTime": 0.0095,
            "RepetitionTime": 0.6,
            "PatientName": "Doe",
            "SeriesDescription": "x",
        }
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(content))
    record = run(study)["sub-1"]
    told = read_json(study.out / record.outputs[1])
    assert told["EchoTime"] == 0.0095 and told["IngestWarnings"] == ["not_t2w"]
    assert "PatientName" not in told and "SeriesDescription" not in told
    assert run(study, checks={"not_t2w": "failure"})["sub-1"].reason == "not_t2w"


def test_a_rule_that_fits_two_files_is_told(study):
    chunks(study, "sub-1")
    image = tall(seed=3)
    write_volume(study.folder / "sub-1/anat/sub-1_chunk-10_T2w.nii.gz", station(image, 0, 80))
    record = run(study)["sub-1"]
    assert record.reason == "several_series"
    assert "station neck: 2 files fit 'chunk-1' (" in record.detail
    assert "sub-1_chunk-10_T2w.nii.gz" in record.detail


def test_a_session_is_one_scan_and_a_new_station_makes_it_again(study):
    chunks(study, "sub-1", which=(1, 2), session="ses-a")
    chunks(study, "sub-1", which=(2, 3), session="ses-b")
    plain = {"suffix": "T2w", "filter": {}, "where": {}, "one_per_session": True, "scans": ""}
    source = source_of({**plain, "dicom": False, "stations": RULES})
    data = look_up(study.folder, study.out, source=source)
    assert [scan.scan_id for scan in data.scans] == ["sub-1_ses-a", "sub-1_ses-b"]
    assert not data.left_out
    first = run(study)["sub-1_ses-a"]
    chunks(study, "sub-1", session="ses-a")
    second = run(study)["sub-1_ses-a"]
    assert second.key != first.key
    assert "MissingStations" not in read_json(study.out / second.outputs[1])
