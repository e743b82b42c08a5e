"""`wirbel inventory` of DICOM: which file is which station, which is chosen, doubled or missing, and why."""

import csv
import shutil

import pytest
from support.deliveries.series import series, volume, zipped

from wirbel.command.main import main

STATIONS = "stations={neck: {description: HWS}, chest: {description: BWS}, low: {description: LWS}}"
NAMES = ("HWS", "BWS", "LWS")


@pytest.fixture
def table(tmp_path):
    return tmp_path / "all.tsv"


@pytest.fixture
def delivered(tmp_path):
    """Write a series as a zip file below `in`; series of other descriptions, numbers or people have other images."""

    def deliver(place, description="HWS", number=1, **more):
        files = tmp_path / "files" / place.replace("/", "_")
        identity = more.pop("identity", place.split("/")[0])
        series(files, description=description, number=number, identity=identity, **more)
        return zipped(tmp_path / "in" / f"{place}.zip", files)

    return deliver


@pytest.fixture
def looked(tmp_path, table, capsys):
    """Run the command; return its rows and what it prints."""

    def look(*words, names=True):
        line = ["inventory", f"scans={tmp_path}/in", "dicom=true", *words, "--table", str(table)]
        line += ["--file-names"] * names
        assert main(line) == 0
        with open(table, newline="") as stream:
            return list(csv.DictReader(stream, delimiter="\t")), capsys.readouterr().out

    return look


def told(rows, *columns):
    return [tuple(row[name] for name in columns) for row in rows]


def test_deliveries_are_looked_into_without_converting_them(tmp_path, delivered, looked, capsys):
    delivered("sub-1/a")
    delivered("sub-2/ses-b/a", description="T1")
    (tmp_path / "in" / "sub-3").mkdir()
    rows, words = looked("series={description: HWS}")
    assert told(rows, "scan_id", "status", "reason") == [
        ("sub-1", "taken", ""),
        ("sub-2_ses-b", "faulty", "no_series"),
        ("", "left_out", "other_series"),
        ("", "faulty", "no_scan"),
    ]
    assert rows[0]["detail"] == "5 sagittal slices, 30 x 24 pixels, echo time 101 ms"
    assert rows[2]["path"] == "sub-2/ses-b/a.zip" and "another description" in rows[2]["detail"]
    assert "no_series: no series fits the rules" in words
    assert main(["inventory", f"scans={tmp_path}/in", "dicom=true", "--names-only"]) == 0
    assert "2 scans to take" in capsys.readouterr().out


def test_each_station_has_a_row_with_its_file(delivered, looked):
    for person in ("sub-1", "sub-2"):
        for number, name in enumerate(NAMES, 1):
            if (person, name) != ("sub-2", "BWS"):
                delivered(f"{person}/{name}", name, number)
    rows, words = looked(STATIONS)
    assert told(rows, "scan_id", "station", "status", "reason", "path") == [
        ("sub-1", "neck", "taken", "", "sub-1/HWS.zip"),
        ("sub-1", "chest", "taken", "", "sub-1/BWS.zip"),
        ("sub-1", "low", "taken", "", "sub-1/LWS.zip"),
        ("sub-2", "neck", "taken", "", "sub-2/HWS.zip"),
        ("sub-2", "chest", "faulty", "no_series", ""),
        ("sub-2", "low", "taken", "", "sub-2/LWS.zip"),
    ]
    assert "2 participants, 2 scans to take, 0 left out by the settings, 1 missing" in words
    assert "Stations: neck 2, chest 1, low 2; 2 sessions: 1 with 3, 1 with 2 of 3" in words
    rows, words = looked(STATIONS, "stitch=false")
    assert told(rows[:2], "scan_id", "station") == [
        ("sub-1_chunk-1", "neck"),
        ("sub-1_chunk-2", "chest"),
    ]
    assert "5 scans to take" in words


def test_what_no_station_is_taken_from_is_listed_with_its_reason(tmp_path, delivered, looked):
    first = delivered("sub-1/HWS", "HWS")
    shutil.copy(first, first.with_name("later.zip"))
    delivered("sub-1/t1", "T1", number=2)
    (tmp_path / "in/sub-1/notes.txt").write_text("nothing")
    broken = delivered("sub-1/more", "LWS", number=3, image=volume(slices=40))
    broken.write_bytes(broken.read_bytes()[:20_000])
    rows, words = looked("series={description: HWS}")
    assert told(rows, "scan_id", "status", "reason", "path") == [
        ("sub-1", "taken", "files_left_out", "sub-1/HWS.zip"),
        ("", "left_out", "other_series", "sub-1/t1.zip"),
        ("", "left_out", "repeated", "sub-1/later.zip"),
        ("", "faulty", "archive_damaged", "sub-1/more.zip"),
        ("", "left_out", "other_files", "sub-1/notes.txt"),
    ]
    repeated = next(row for row in rows if row["reason"] == "repeated")
    assert repeated["detail"].endswith("in/sub-1/HWS.zip")
    assert "sub-1: sub-1/t1.zip: 5 sagittal slices" in words


def test_a_session_is_refused_if_it_is_open_which_series_a_station_is(delivered, looked):
    """As the run refuses it; where stations are scans of their own, only this one."""
    for place in ("HWS", "HWS_again"):
        delivered(f"sub-1/{place}", "HWS", number=len(place))
    delivered("sub-1/LWS", "LWS", number=1)
    two = "stations={neck: {description: HWS}, low: {description: LWS}}"
    rows, words = looked(two)
    assert told(rows, "station", "status", "reason", "path") == [
        ("neck", "faulty", "several_series", "sub-1/HWS.zip; sub-1/HWS_again.zip"),
        ("low", "faulty", "several_series", "sub-1/LWS.zip"),
        ("", "left_out", "not_chosen", "sub-1/HWS.zip"),
        ("", "left_out", "not_chosen", "sub-1/HWS_again.zip"),
    ]
    assert "0 scans to take" in words
    rows, _ = looked(two, "stitch=false")
    assert told(rows[:2], "status", "reason") == [("faulty", "several_series"), ("taken", "")]
    rows, _ = looked(two, "one_per_session=true")
    assert told(rows, "station", "status", "path") == [
        ("neck", "taken", "sub-1/HWS_again.zip"),
        ("low", "taken", "sub-1/LWS.zip"),
        ("", "left_out", "sub-1/HWS.zip"),
    ]
    assert "another was taken as neck" in rows[2]["detail"]


def test_a_station_that_two_people_share_is_noticed(delivered, looked):
    delivered("sub-1/HWS", identity="one")
    delivered("sub-2/HWS", identity="one")
    delivered("sub-2/LWS", "LWS", number=2)
    rows, _ = looked("stations={neck: {description: HWS}, low: {description: LWS}}")
    found = {(row["scan_id"], row["station"]): row for row in rows}
    assert found["sub-1", "neck"]["detail"] == "the same images as sub-2 neck"
    assert found["sub-2", "neck"]["reason"] == "same_content"
    assert found["sub-2", "low"]["reason"] == ""


def test_loose_files_are_told_by_their_folders(tmp_path, looked):
    for number, name in enumerate(NAMES[:2], 1):
        series(tmp_path / "in/sub-1" / name, description=name, number=number)
    rows, _ = looked("stations={neck: {description: HWS}, chest: {description: BWS}}")
    assert told(rows, "station", "path") == [("neck", "sub-1/HWS"), ("chest", "sub-1/BWS")]


def test_stations_that_are_nifti_files_are_told_by_their_names(tmp_path, capsys, table):
    for name in ("chunk-1", "chunk-2", "chunk-9"):
        path = tmp_path / f"in/sub-1/anat/sub-1_{name}_T2w.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content of " + name.encode())
    two = "stations={neck: {name: chunk-1}, chest: {name: chunk-2}, low: {name: chunk-3}}"
    assert main(["inventory", str(tmp_path / "in"), two, "--table", str(table)]) == 0
    with open(table, newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    anat = "sub-1/anat/sub-1"
    assert told(rows, "station", "status", "reason", "path") == [
        ("neck", "taken", "", f"{anat}_chunk-1_T2w.nii.gz"),
        ("chest", "taken", "", f"{anat}_chunk-2_T2w.nii.gz"),
        ("low", "faulty", "no_scan", ""),
        ("", "left_out", "other_files", f"{anat}_chunk-9_T2w.nii.gz"),
    ]
    assert "Stations: neck 1, chest 1, low 0" in capsys.readouterr().out


def test_stations_of_two_people_are_noticed(delivered, looked):
    for number, name in enumerate(("HWS", "LWS"), 1):
        delivered(f"sub-1/{name}", name, number, more={"PatientID": name})
    two = "stations={neck: {description: HWS}, low: {description: LWS}}"
    for level, status in {"warning": "taken", "failure": "faulty"}.items():
        rows, _ = looked(two, f"checks={{several_people: {level}}}")
        assert told(rows, "station", "status", "reason", "path") == [
            ("neck", status, "several_people", "sub-1/HWS.zip"),
            ("low", status, "several_people", "sub-1/LWS.zip"),
        ]
    rows, _ = looked(two, "checks={several_people: off}")
    assert told(rows, "status", "reason") == [("taken", ""), ("taken", "")]


def test_names_of_files_in_a_delivered_folder_are_told_only_if_asked_for(delivered, looked):
    """They may be those of people."""
    for number, name in enumerate(("HWS_Doe", "LWS_Doe"), 1):
        first = delivered(f"sub-1/{name}", name, number)
    shutil.copy(first, first.with_name("Xenia.zip"))
    rows, words = looked(
        "stations={neck: {description: HWS}, low: {description: LWS}}", names=False
    )
    assert told(rows, "station", "path") == [
        ("neck", "sub-1 (part 1 of 3)"),
        ("low", "sub-1 (part 2 of 3)"),
        ("", "sub-1 (part 3 of 3)"),
    ]
    assert rows[2]["detail"] == "the same images as sub-1 (part 2 of 3)"
    assert "Doe" not in f"{rows}{words}" and "Xenia" not in f"{rows}{words}"
