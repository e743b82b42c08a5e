"""`wirbel inventory`: what there is, what is taken, left out, doubled, missing, and why."""

import csv
import os

import pytest
from support.studies.bids_scans import put_scan

from wirbel.command.main import main
from wirbel.io.dataset.same_content import SizedFile, same_content


@pytest.fixture
def cohort(tmp_path):
    """Six people: two with the same file, one with a link to nothing, one misspelt, one without a scan."""
    data = tmp_path / "in"
    put_scan(data, "sub-1").write_bytes(b"one and the same")
    put_scan(data, "sub-2").write_bytes(b"one and the same")
    put_scan(data, "sub-3", extra="acq-ax").write_bytes(b"another of them.")
    put_scan(data, "sub-4").unlink()
    (data / "sub-4/anat/sub-4_T2w.nii.gz").symlink_to("nowhere")
    put_scan(data, "sub-5", suffix="_T2W.nii.gz")
    (data / "sub-6").mkdir()
    return data


def rows(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_everything_is_listed_once_with_its_reason(cohort, tmp_path, capsys):
    table = tmp_path / "all.tsv"
    assert main(["inventory", str(cohort), "filter={acq: none}", "--table", str(table)]) == 0
    assert [(r["participant_id"], r["status"], r["reason"]) for r in rows(table)] == [
        ("sub-1", "taken", "same_content"),
        ("sub-2", "taken", "same_content"),
        ("sub-3", "faulty", "no_scan"),
        ("sub-3", "left_out", "filtered"),
        ("sub-4", "faulty", "content_missing"),
        ("sub-5", "faulty", "no_scan"),
        ("sub-6", "faulty", "no_scan"),
    ]
    told = capsys.readouterr().out
    assert (
        "6 participants, 2 scans to take, 1 left out by the settings, 4 missing or faulty" in told
    )
    assert "sub-1: the same content as sub-2" in told
    assert "sub-5: expected sub-5/[ses-*/]anat/*_T2w.nii.gz, found sub-5/anat/" in told
    assert not (tmp_path / "results").exists()


def test_a_file_that_this_user_may_not_read_is_faulty(cohort, tmp_path, capsys, monkeypatch):
    """Told by the system's own answer, as root may read everything."""
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: "sub-2" not in str(path) and real(path, mode)
    )
    assert main(["inventory", str(cohort), "--table", str(tmp_path / "all.tsv")]) == 0
    found = {r["participant_id"]: r for r in rows(tmp_path / "all.tsv")}
    assert (found["sub-2"]["status"], found["sub-2"]["reason"]) == ("faulty", "no_permission")
    assert found["sub-2"]["detail"].startswith("sub-2_T2w.nii.gz cannot be read by this user")
    assert "1 no_permission: this user may not read the file" in capsys.readouterr().out


def test_a_table_of_scans_needs_no_folder(cohort, tmp_path, capsys):
    (tmp_path / "scans.csv").write_text("participant_id,path\n1,in/sub-1/anat/sub-1_T2w.nii.gz\n")
    assert main(["inventory", f"scans={tmp_path}/scans.csv"]) == 0
    assert "1 participant, 1 scan to take, 0 left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["no_such"], "the scans cannot be listed"),
        (["DATA", "filter={acqq: a}"], "unknown setting 'filter.acqq': did you mean 'acq'?"),
        (["DATA", "where={age: 3}"], "participants.tsv has no column 'age'; it has none"),
        (["scans=no_such.tsv"], "the scans cannot be listed"),
        ([], "bids_dir is missing"),
    ],
)
def test_mistakes_are_one_sentence(cohort, words, told, capsys):
    words = [str(cohort) if word == "DATA" else word for word in words]
    assert main(["inventory", *words]) == 2
    assert told in capsys.readouterr().err


def test_only_equal_files_are_the_same(tmp_path):
    def put(name, content):
        (tmp_path / name).write_bytes(content)
        return SizedFile(str(tmp_path / name), len(content))

    block = bytes(50_000)
    files = [
        put("a", b"1" + block),
        put("b", b"2" + block),  # differs where no sample is taken
        put("c", b"1" + block),
        put("d", block + b"1"),
        put("empty", b""),
        put("void", b""),
        SizedFile(str(tmp_path / "gone"), 50_001),
    ]
    assert same_content(files) == [[files[0].path, files[2].path]]
