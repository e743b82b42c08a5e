"""Withdrawn people: what mentions them is found in every spelling, and only that is removed."""

import json
import os

import pytest

from wirbel.manifests.batch_assignment import write_assignment
from wirbel.study.withdrawing.forgetting import forget
from wirbel.study.withdrawing.who import Mentions, is_of, withdrawn_people
from wirbel.study.withdrawing.withdrawal import (
    MARGIN_NS,
    begin_withdrawal,
    end_withdrawal,
    withdrawal_doubt,
)


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("sub-1", True),
        ('"sub-1_ses-a_T2w.nii.gz"', True),
        ("work/features/sub-1.json", True),
        ("sub-12 failed", False),
        ("sub-01 failed", False),
        ("xsub-1", False),
        ("x-sub-sub-1", True),
        ("sub-1 (copy) failed", False),
    ],
)
def test_names_that_begin_alike_are_told_apart(text, mentioned):
    known = ["sub-1", "sub-12", "sub-1 (copy)"]
    assert Mentions(["sub-1"], known).found_in(text.encode()) == mentioned


@pytest.mark.parametrize(
    "text", ["sub-ä&b", json.dumps("sub-ä&b"), "sub-ä&amp;b", "sub-%C3%A4%26b.html"]
)
def test_names_are_found_as_tables_pages_and_addresses_write_them(text):
    assert Mentions(["sub-ä&b"]).found_in(text.encode())


def test_many_names_are_looked_for_at_once():
    mentions = Mentions([f"sub-{number}" for number in range(1000)])
    assert mentions.found_in(b"... sub-999 ...") and not mentions.found_in(b"sub-1000")


def test_a_list_of_withdrawals_may_be_as_a_spreadsheet_left_it():
    known = ["sub-001", "sub-002"]
    assert withdrawn_people(["1", "sub-002", "77"], known) == ({"sub-001", "sub-002"}, 1)


def test_files_belong_to_whom_their_names_say():
    assert is_of({"sub-1"}, "sub-1") and is_of({"sub-1"}, "sub-1.json")
    assert not is_of({"sub-1"}, "sub-1a_T2w.json") and not is_of({"sub-1"}, "sub-1;b.json")


FILES = {  # file -> its content
    "sub-1/ses-a/anat/sub-1_ses-a_desc-vertebra_dseg.nii.gz": "map",
    "sub-2/anat/sub-2_desc-vertebra_dseg.nii.gz": "map",
    "work/features/sub-1_ses-a_features.json": "{}",
    "work/features/sub-2_features.json": "{}",
    "work/features/b00001.tsv": "sub-1_ses-a\tok\nsub-2\tok\n",
    "work/features/b00002.tsv": "sub-3\tok\n",
    "work/batches/assignment.tsv": "scan_id\tbatch\nsub-1_ses-a\tb00001\nsub-2\tb00001\n",
    "work/batches/b00001.records.tsv": "stage\tscan_id\nmerge\tsub-1_ses-a\nmerge\tsub-2\n",
    "work/receipts/pictures/b00001.json": '["qc/panels/b00001/sub-1_ses-a.js"]',
    "work/receipts/report.json": '["qc/index.html"]',
    "work/plans/1.json": json.dumps({"wishes": {"recompute": ["sub-1", "sub-2"]}}),
    "qc/panels/b00001/sub-1_ses-a.js": "panel",
    "qc/panels/b00001/sub-2.js": "panel",
    "qc/thumbnails/b00001.webp": "picture",
    "qc/thumbnails/b00002.webp": "picture",
    "qc/index.html": "<p>sub-1</p>",
    "cohort/scans.csv": "sub-1,3\nsub-2,4\n",
    "cohort/scans.parquet": "packed",
    "evaluation/scans.csv": "sub-2,4\n",
    "logs/b00001.log": "merge: sub-1_ses-a failed\nmerge: sub-2 done\n",
    "logs/runs.tsv": "command\nwirbel run in out recompute=sub-1\n",
}


@pytest.fixture
def output(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_everything_of_a_person_goes_and_everything_of_others_stays(output):
    done = forget(output, {"sub-1"}, {"sub-1", "sub-2", "sub-3"}, ["b00001"])
    assert (done.scans, done.left) == (1, [])
    left = content(output)
    gone = set(FILES) - set(left)
    assert gone == {
        *(name for name in FILES if "sub-1" in name),
        "work/features/b00001.tsv",
        "work/receipts/pictures/b00001.json",
        "qc/thumbnails/b00001.webp",
        "qc/index.html",
        "cohort/scans.csv",
        "cohort/scans.parquet",
    }
    assert not any("sub-1" in text for text in left.values())
    assert left["work/batches/b00001.records.tsv"] == "stage\tscan_id\nmerge\tsub-2\n"
    assert left["logs/b00001.log"] == "merge: sub-2 done\n"
    assert left["logs/runs.tsv"] == "command\nwirbel run in out recompute=withdrawn\n"
    assert json.loads(left["work/plans/1.json"]) == {"wishes": {"recompute": ["sub-2"]}}
    untouched = [name for name in left if FILES[name] == left[name]]
    assert len(untouched) == len(left) - 5


def test_forgetting_again_finds_nothing(output):
    forget(output, {"sub-1"}, {"sub-1"}, ["b00001"])
    before = content(output)
    assert forget(output, {"sub-1"}, {"sub-1"}).nothing
    assert content(output) == before


def test_at_the_end_of_a_run_tables_are_not_removed_but_named(output):
    """A column of participants.tsv may name a sibling: that is for a person to correct."""
    done = forget(output, {"sub-1"}, {"sub-1"}, made_again=False)
    assert set(done.left) == {
        "cohort/scans.csv",
        "qc/index.html",
        "work/features/b00001.tsv",
        "work/receipts/pictures/b00001.json",
    }
    assert (output / "cohort" / "scans.csv").read_text() == FILES["cohort/scans.csv"]
    assert "sub-1" not in (output / "logs" / "b00001.log").read_text()


def test_later_runs_with_the_same_list_read_only_what_was_written_since(output):
    """An old file stands for the tables of 30,000 scans, which are large: it is read once for a list."""
    people = {"sub-1"}
    forget(output, people, people, ["b00001"])
    assert end_withdrawal(output, people, people) == []
    old, new = output / "cohort" / "old.csv", output / "cohort" / "new.csv"
    old.write_text("sub-1")
    before = (output / "work" / "batches" / ".withdrawn").stat().st_mtime_ns - 2 * MARGIN_NS
    os.utime(old, ns=(before, before))
    assert end_withdrawal(output, people, people) == []
    new.write_text("sub-1")
    (told,) = end_withdrawal(output, people, people)
    assert told.startswith("1 file still mentions withdrawn participants, such as cohort/new.csv")
    new.unlink()
    (told,) = end_withdrawal(output, people, people)
    assert "cohort/old.csv" in told, "after a find everything is read again"
    old.unlink()
    assert end_withdrawal(output, people, people) == []
    old.write_text("sub-2")
    os.utime(old, ns=(before, before))
    (told,) = end_withdrawal(output, {*people, "sub-2"}, {*people, "sub-2"})
    assert "still mention" in told, "and for another list"
    kept = (output / "work" / "batches" / ".withdrawn").exists()
    assert not kept


def test_what_is_remembered_of_a_list_names_nobody(output):
    end_withdrawal(output, {"sub-9"}, {"sub-9"})
    assert "sub-" not in (output / "work" / "batches" / ".withdrawn").read_text()


def test_a_name_that_leads_elsewhere_removes_nothing(output):
    before = content(output)
    assert forget(output / "work", {"sub-1/../../sub-2", "..", "sub-"}, set()).nothing
    assert content(output) == before


@pytest.mark.parametrize(
    ("people", "asks"), [(["sub-1", "sub-2"], True), (["sub-1"], False)], ids=["several", "one"]
)
def test_a_list_that_would_remove_much_is_asked_about(tmp_path, people, asks):
    """Two of ten: perhaps the wrong file. What is removed cannot be had back."""
    (tmp_path / "work" / "batches").mkdir(parents=True)
    write_assignment(tmp_path, {f"sub-{number}": "b00001" for number in range(10)})
    doubt = withdrawal_doubt(tmp_path, people)
    assert bool(doubt) == asks and "sub-" not in doubt
    assert not asks or ("2 of the 10 scans" in doubt and "accept_changes=true" in doubt)
    begin_withdrawal(tmp_path, people)
    assert withdrawal_doubt(tmp_path, people) == "", "it is under way: nobody asks again"


def test_few_of_many_are_not_asked_about(tmp_path):
    (tmp_path / "work" / "batches").mkdir(parents=True)
    write_assignment(tmp_path, {f"sub-{number}": "b00001" for number in range(100)})
    assert withdrawal_doubt(tmp_path, ["sub-1", "sub-2"]) == ""
