"""Identifiers in every place that a delivery has room for, and none of them anywhere in the output folder."""

import zipfile
from dataclasses import replace

import pydicom
import pytest
from pydicom.dataset import Dataset
from support.deliveries.ingesting import Study
from support.deliveries.planted import identifiers, planted, traces
from support.deliveries.series import SAG, series, volume

from wirbel.command import main

RULES = {"one": {"description": "T2"}, "two": {"description": "never"}}


def in_sequences(info, word):
    """Return a series' info with identifiers in nested sequences, too."""
    inner, outer, person = Dataset(), Dataset(), Dataset()
    inner.PatientID, inner.ScheduledProcedureStepDescription = f"{word}inner", f"{word}step"
    outer.RequestedProcedureDescription = f"{word}outer"
    outer.ReferencedPatientSequence = [inner]
    person.PatientName, person.IssuerOfPatientID = f"{word}other^Jane", f"{word}issuer"
    more = {"RequestAttributesSequence": [outer], "OtherPatientIDsSequence": [person]}
    return replace(info, more={**info.more, **more})


def in_names(files, path, word):
    """Zip files under telling names, with telling comments; return the words."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = f"{word}zipcomment".encode()
        for number, file in enumerate(sorted(files.iterdir())):
            entry = zipfile.ZipInfo(f"{word}folder/{word}file{number}.dcm")
            entry.comment = f"{word}entrycomment".encode()
            archive.writestr(entry, file.read_bytes())
    kinds = ("zipcomment", "folder", "file", "entrycomment", "inner", "step", "outer", "issuer")
    return {path.stem, *(f"{word}{kind}" for kind in kinds), f"{word}other"}


def spoiled(path, kind):
    """Damage an archive in some way."""
    content = path.read_bytes()
    if kind == "cut":
        path.write_bytes(content[: len(content) // 2])
    if kind == "encrypted":
        path.write_bytes(
            content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
        )
    if kind == "nested":
        path.unlink()
        with zipfile.ZipFile(path, "w") as outer:
            outer.writestr(f"{path.stem}.zip", content)


@pytest.fixture
def deliveries(tmp_path):
    """Ten people in folders `sub-*`, good and damaged; returns the study and all planted words."""
    study, words = Study(tmp_path), set()
    kinds = ["", "", "", "cut", "encrypted", "nested", "gap", "twice", "broken header", "CT"]
    for number, kind in enumerate(kinds):
        word = f"Zk{number:02}"
        own = study.folder / f"sub-{number:02}" / f"{word}place"
        files = tmp_path / "files" / str(number)
        info = in_sequences(planted(SAG, number), word)
        series(files, info, image=volume(7, seed=number))
        words |= identifiers(files.glob("*.dcm")) | {own.name}
        if kind == "gap":
            (files / "0003.dcm").unlink()
        if kind == "CT":
            for file in files.iterdir():
                header = pydicom.dcmread(file)
                header.Modality = "CT"
                header.save_as(file)
        if kind == "broken header":
            for file in files.iterdir():
                file.write_bytes(file.read_bytes()[:700])
        own.mkdir(parents=True)
        path = own / f"{word}archive.zip"
        words |= in_names(files, path, word)
        spoiled(path, kind)
        if kind == "twice":
            series(own / f"{word}more", info, number=9)
    return study, words


@pytest.mark.parametrize("stations", [{}, RULES], ids=["scan", "stations"])
def test_of_hundreds_of_identifiers_none_is_left(deliveries, stations, capfd):
    study, words = deliveries
    records = study.run(scans=str(study.folder), stations=stations)
    assert [record.reason for _, record in sorted(records.items())] == [
        *("", "", "", "archive_damaged", "archive_encrypted", "archive_nested"),
        *("incomplete_series", "several_series", "unreadable", "no_series"),
    ]
    assert len(words) > 500
    assert traces(study.out, words) == []
    told = capfd.readouterr()
    assert [word for word in words if word in told.out + told.err] == []


def test_an_inventory_tells_none(deliveries, tmp_path, capfd):
    study, words = deliveries
    line = ["inventory", f"scans={study.folder}", "dicom=true", "--table", str(tmp_path / "t.tsv")]
    assert main.main(line) == 0
    told = capfd.readouterr()
    text = told.out + told.err + (tmp_path / "t.tsv").read_text()
    assert "archive_damaged" in text and [word for word in words if word in text] == []
