"""The stage ingest from a table of deliveries to NIfTI: every good one through, every bad one with its reason."""

import json
import random

import numpy as np
import pydicom
import pytest
from support.deliveries.ingesting import BATCH, Study
from support.deliveries.planted import identifiers, planted, traces
from support.deliveries.series import SAG, enhanced, series, tarred, volume, zipped
from support.deliveries.stations import station, tall

from wirbel.core.geometry import reorient
from wirbel.ingest.headers.facts import ALLOWED
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.sidecars import read_json
from wirbel.io.tabular.tables import read_rows
from wirbel.manifests.batches import read_scans
from wirbel.stages import ingest, resample


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def test_a_delivery_becomes_a_scan_that_later_stages_read(study):
    image = volume(12, seed=3)
    big = image.with_data(np.kron(image.data, np.ones((3, 3, 1), np.int16)))
    study.deliver(
        "01", zipped(study.folder / "a.zip", series(study.folder / "a", image=big)), "base"
    )
    record = study.run()["sub-01_ses-base"]
    assert (record.status, record.outputs) == (
        "ok",
        tuple(f"sub-01/ses-base/anat/sub-01_ses-base_T2w.{end}" for end in ("nii.gz", "json")),
    )
    found = reorient(read_volume(study.out / record.outputs[0]), ("P", "I", "R"))
    np.testing.assert_array_equal(found.data, reorient(big, ("P", "I", "R")).data)
    sidecar = read_json(study.out / record.outputs[1])
    assert sidecar["EchoTime"] == 0.101 and sidecar["ConversionSoftware"] == "dcm2niix"
    prepared = study.run(resample, n4=False)["sub-01_ses-base"]
    assert prepared.status == "ok" and prepared.source == record.key
    (scan,) = read_scans(study.out, BATCH, "T2w")
    assert scan.path == study.out / record.outputs[0]


def test_parts_of_one_session_make_one_scan_and_the_rules_choose(study):
    for number, name in enumerate(("T2_SAG", "T1_SAG", "T2_TRA"), 1):
        folder = series(study.folder / name, description=name, number=number, identity="one")
        study.deliver("7", zipped(study.folder / f"{name}.zip", folder))
    record = study.run(series={"description": "T2.*SAG"})["sub-7"]
    assert record.status == "ok"
    assert study.run(series={"description": "PD"})["sub-7"].reason == "no_series"


def test_the_same_delivery_gives_the_same_bytes_and_is_converted_once(study):
    study.deliver("1", series(study.folder / "a"))
    first = study.run()["sub-1"]
    content = (study.out / first.outputs[0]).read_bytes()
    assert study.run()["sub-1"] == first
    (study.out / first.outputs[0]).unlink()
    again = study.run()["sub-1"]
    assert (study.out / again.outputs[0]).read_bytes() == content
    (study.folder / "a" / "0001.dcm").unlink()
    assert study.run()["sub-1"].key != first.key


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def _text(path):
    path.write_text("no image")
    return path


def damaged(folder, kind, info):
    """Deliver a series that is damaged in one of ten ways; return its path and the reason to expect."""
    if kind == "truncated zip":
        return _cut(zipped(folder / "a.zip", series(folder / "x", info))), "archive_damaged"
    if kind == "truncated tar":
        return _cut(tarred(folder / "a.tgz", series(folder / "x", info))), "archive_damaged"
    if kind == "nested":
        inner = zipped(folder / "in" / "in.dcm", series(folder / "x", info))
        return zipped(folder / "out.zip", inner.parent), "archive_nested"
    if kind == "no dicom":
        (folder / "x").mkdir(parents=True)
        return _text(folder / "x" / "note.dcm").parent, "no_dicom"
    if kind == "capture":
        more = info.more | {"ConversionType": "WSD"}
        return series(folder / "x", info, more=more), "derived_image"
    if kind == "gap":
        made = series(folder / "x", info, image=volume(7))
        (made / "0003.dcm").unlink()
        return made, "incomplete_series"
    if kind == "cut slice":
        made = series(folder / "x", info)
        _cut(made / "0002.dcm")
        return made, "incomplete_series"
    if kind == "two series":
        series(folder / "x/a", info)
        series(folder / "x/b", info, number=9)
        return folder / "x", "several_series"
    if kind == "no geometry":
        made = series(folder / "x", info)
        for file in made.iterdir():
            header = pydicom.dcmread(file)
            del header.ImageOrientationPatient
            header.save_as(file)
        return made, "bad_geometry"
    return folder / "gone.zip", "content_missing"


KINDS = ["truncated zip", "truncated tar", "nested", "no dicom", "capture", "gap", "cut slice"]
KINDS += ["two series", "no geometry", "missing"]


def test_of_forty_deliveries_every_good_one_goes_through_and_no_identifier_does(study, capfd):
    """In random order: folders, zips, tars, multi-frame files, duplicates, and ten damaged in ten ways."""
    expected, random_ = {}, random.Random(4)
    numbers = list(range(40))
    random_.shuffle(numbers)
    for number in numbers:
        folder, info = study.folder / f"d{number}", planted(SAG, number)
        folder.mkdir()
        if number < len(KINDS):
            path, expected[number] = damaged(folder, KINDS[number], info)
            study.deliver(number, path)
            continue
        expected[number] = ""
        made = series(folder / f"Xq{number:02}inner", info, image=volume(seed=number))
        packed = [made, None, None, made][number % 4]
        if number % 4 == 1:
            packed = zipped(folder / "a.zip", made, order=-1)
        if number % 4 == 2:
            packed = tarred(folder / "a.tar.gz", made)
        if number % 4 == 3:  # delivered twice
            study.deliver(number, zipped(folder / "again.zip", made))
        study.deliver(number, packed)
    study.deliver(77, enhanced(study.folder / "e.dcm", planted(SAG, 77)))
    records = study.run()
    assert {name: r.reason for name, r in records.items()} == {
        **{f"sub-{number}": reason for number, reason in expected.items()},
        "sub-77": "",
    }
    words = identifiers(path for path in study.folder.rglob("*.dcm") if _is_whole(path))
    assert len(words) > 400
    assert traces(study.out, words) == []
    told = capfd.readouterr()
    assert [word for word in words if word in told.out + told.err] == []


def _is_whole(path):
    try:
        pydicom.dcmread(path, stop_before_pixels=True).SeriesDescription  # noqa: B018
    except Exception:
        return False
    return True


def test_sidecars_hold_nothing_but_the_stated_list(study):
    study.deliver("1", series(study.folder / "a", planted(SAG, 3)))
    record = study.run()["sub-1"]
    sidecar = json.loads((study.out / record.outputs[1]).read_text())
    assert set(sidecar) <= {*ALLOWED, "ConversionSoftware", "IngestNotes"}
    assert "Manufacturer" not in sidecar, "a maker that is none of the known ones"


def test_an_error_that_nobody_foresaw_repeats_no_value(study, monkeypatch):
    def fails(*arguments, **more):
        raise KeyError("Doe^Jane")

    monkeypatch.setattr(ingest, "convert", fails)
    study.deliver("1", series(study.folder / "a"))
    study.deliver("2", series(study.folder / "b"))
    records = study.run()
    assert records["sub-1"].reason == "unexpected" and "KeyError while" in records["sub-1"].detail
    assert traces(study.out, ["Doe^Jane"]) == []


# Stations

RULES = {name: {"description": f"_{name}$"} for name in ("HWS", "BWS", "LWS")}


def deliver_stations(study, participant, names=("HWS", "BWS", "LWS"), kinds=(), seed=0):
    """Deliver a zip archive for each station; those in `kinds` are cut short."""
    image = tall(seed=seed)
    parts = {
        "HWS": station(image, 0, 80, (1.0, -3.0, 3.5), tilt_deg=4, gain=0.8),
        "BWS": station(image, 55, 145, gain=0.9),
        "LWS": station(image, 120, 200, (-1.5, 2.5, -4.0), tilt_deg=-3, gain=0.6),
    }
    for name in names:
        number = list(parts).index(name) + 1
        info = planted(SAG, 50 + number)
        folder = study.folder / f"p{participant}{name}"
        series(folder, info, description=f"T2_{name}", number=number, image=parts[name])
        path = zipped(study.folder / f"{participant}{name}.zip", folder)
        study.deliver(participant, _cut(path) if name in kinds else path)


def test_three_stations_become_one_scan_with_a_table_and_a_picture_of_its_seams(study):
    deliver_stations(study, "1")
    record = study.run(stations=RULES)["sub-1"]
    assert [path.split("/")[-1] for path in record.outputs] == [
        *("sub-1_T2w.nii.gz", "sub-1_T2w.json", "sub-1_seams.tsv", "sub-1_seams.png"),
    ]
    volume = read_volume(study.out / record.outputs[0])
    assert volume.data.dtype == np.int16 and volume.data.shape[1] > 190
    sidecar = read_json(study.out / record.outputs[1])
    assert sidecar["Stations"] == ["HWS", "BWS", "LWS"] and "MissingStations" not in sidecar
    upper, lower = read_rows(study.out / record.outputs[2])
    assert float(upper["shift_front_mm"]) == pytest.approx(3.0, abs=0.5)
    assert float(lower["shift_up_mm"]) == pytest.approx(4.0, abs=0.5)
    again = {name: (study.out / name).read_bytes() for name in record.outputs}
    for name in record.outputs:
        (study.out / name).unlink()
    study.run(stations=RULES)
    assert again == {name: (study.out / name).read_bytes() for name in record.outputs}


def test_missing_stations_leave_a_part_that_says_so(study):
    deliver_stations(study, "1", names=("BWS", "LWS"))
    deliver_stations(study, "2", kinds=("LWS",))
    deliver_stations(study, "3", names=("HWS", "LWS"))
    deliver_stations(study, "4", names=("HWS",), kinds=("HWS",))
    records = study.run(stations=RULES)
    told = {
        name: read_json(study.out / record.outputs[1])
        for name, record in records.items()
        if record.status == "ok"
    }
    assert told["sub-1"]["MissingStations"] == {"HWS": "no_series"}
    assert told["sub-2"]["Stations"] == ["HWS", "BWS"]
    assert told["sub-2"]["MissingStations"] == {"LWS": "archive_damaged"}
    assert told["sub-3"]["MissingStations"] == {"BWS": "no_series", "HWS": "no_overlap"}
    assert told["sub-3"]["Seams"] == []
    assert records["sub-4"].reason == "archive_damaged"


def test_stations_of_two_people_are_refused(study):
    deliver_stations(study, "1", names=("BWS",))
    deliver_stations(study, "1", names=("LWS",), seed=9)
    assert study.run(stations=RULES)["sub-1"].reason == "implausible_seam"
    strict = {"several_people": "failure"}
    assert study.run(stations=RULES, checks=strict)["sub-1"].reason == "several_people"


# Checks


def test_a_scan_that_is_not_t2_weighted_is_told_or_refused(study):
    study.deliver("1", series(study.folder / "a", echo_time_ms=9.5))
    record = study.run()["sub-1"]
    assert record.status == "ok"
    assert read_json(study.out / record.outputs[1])["IngestWarnings"] == ["not_t2w"]
    record = study.run(checks={"not_t2w": "failure"})["sub-1"]
    assert (record.reason, record.detail[:44]) == (
        "not_t2w",
        "the series has an echo time of 9.5 ms (expec",
    )
    record = study.run(checks={"not_t2w": "off"})["sub-1"]
    assert "IngestWarnings" not in read_json(study.out / record.outputs[1])


def test_derived_images_are_refused_unless_they_are_only_a_warning(study):
    study.deliver("1", series(study.folder / "a", image_type=("DERIVED", "PRIMARY", "M")))
    assert study.run()["sub-1"].reason == "derived_image"
    record = study.run(checks={"derived_image": "warning"})["sub-1"]
    assert read_json(study.out / record.outputs[1])["IngestWarnings"] == ["derived_image"]
    record = study.run(series={"derived": True}, checks={"derived_image": "warning"})["sub-1"]
    assert "IngestWarnings" not in read_json(study.out / record.outputs[1]), "they were asked for"


def test_damaged_files_beside_a_whole_series_are_told_or_refused(study):
    """The first slice of six: five remain without a gap."""
    folder = series(study.folder / "a", image=volume(6))
    _cut(folder / "0001.dcm").write_bytes((folder / "0001.dcm").read_bytes()[:600])
    study.deliver("1", folder)
    record = study.run()["sub-1"]
    told = read_json(study.out / record.outputs[1])
    assert told["IngestWarnings"] == ["files_left_out"]
    assert told["IngestNotes"] == ["1 DICOM file with a damaged header was left out"]
    assert study.run(checks={"files_left_out": "failure"})["sub-1"].reason == "files_left_out"


def test_images_of_two_people_in_one_archive_are_not_mixed(study):
    """Also where the better of several series would be taken."""
    for name in ("ann", "ben"):
        series(study.folder / "both" / name, identity=name, more={"PatientID": f"P {name}"})
    study.deliver("1", study.folder / "both")
    for best in (False, True):
        record = study.run(one_per_session=best)["sub-1"]
        assert record.reason == "several_people" and "P ann" not in record.detail


@pytest.mark.parametrize("stitch", [True, False])
def test_stations_of_two_people_are_a_warning_or_a_failure(study, stitch):
    parts = {"neck": station(tall(), 0, 120), "lumbar": station(tall(), 80, 200)}
    for number, (name, part) in enumerate(parts.items(), 1):
        more = {"PatientID": f"P {name}"}
        files = series(study.folder / name, image=part, description=name, number=number, more=more)
        study.deliver("1", files)
    told = {"stations": {name: {"description": name} for name in parts}, "stitch": stitch}
    strict = study.run(**told, checks={"several_people": "failure"})
    assert {record.reason for record in strict.values()} == {"several_people"}
    for record in study.run(**told).values():
        sidecar = read_json(study.out / record.outputs[1])
        assert sidecar["IngestWarnings"] == ["several_people"] and "P neck" not in str(sidecar)
