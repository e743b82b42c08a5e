"""The files about people in a data set: read with their descriptions, and odd ones named."""

import pytest

from wirbel.io.foreign.people_files import read_people

PRESENT = ["sub-01", "sub-02"]


def test_participants_their_sessions_and_descriptions_come_together(tmp_path):
    (tmp_path / "participants.tsv").write_text("participant_id\tsex\n01\tF\n2\tM\n")
    (tmp_path / "participants.json").write_text('\ufeff{"sex": {"Description": "Sex at birth"}}')
    (tmp_path / "sub-01").mkdir()
    (tmp_path / "sub-01/sub-01_sessions.tsv").write_text("session_id\tage\nses-1\t61\nses-2\t62\n")
    found = read_people(tmp_path, PRESENT)
    assert found.people.of("sub-01", "ses-2") == {"sex": "F", "age": "62"}
    assert found.people.of("sub-02") == {"sex": "M"}
    assert found.descriptions["sex"]["Description"] == "Sex at birth"
    assert found.faults == []


def test_a_table_of_sessions_beside_that_of_participants_is_joined_too(tmp_path):
    rows = "participant_id\tsession_id\tage\nsub-01\tses-1\t61\nsub-01\tses-2\t62\n"
    (tmp_path / "sessions.tsv").write_text(rows)
    assert read_people(tmp_path, PRESENT).people.of("sub-01", "ses-1") == {"age": "61"}


def test_an_odd_row_and_an_odd_file_cost_themselves_only(tmp_path):
    (tmp_path / "participants.tsv").write_text("participant_id\tage\n01\t61\n02\t62\t\tx\n")
    (tmp_path / "participants.json").write_text("{")
    (tmp_path / "sub-02").mkdir()
    (tmp_path / "sub-02/sub-02_sessions.tsv").write_bytes(b"session_id\0\0\0\0\0\0\0x\xd8")
    found = read_people(tmp_path, PRESENT)
    assert found.people.of("sub-01") == {"age": "61"} and found.people.of("sub-02") == {}
    assert found.faults[0] == "participants.tsv: line 3 has 4 cells, but the header has 2"
    assert [fault.split()[0] for fault in found.faults[1:]] == [
        "participants.json",
        "sub-02_sessions.tsv",
    ]


def test_a_table_without_ids_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "participants.tsv").write_text("id\tage\n01\t61\n")
    with pytest.raises(ValueError, match="participants.tsv has no column participant_id.*id, age"):
        read_people(tmp_path, PRESENT)


def test_a_table_whose_content_was_not_fetched_is_an_error_and_no_empty_columns(tmp_path):
    (tmp_path / "participants.tsv").symlink_to(tmp_path / ".git/annex/objects/x")
    with pytest.raises(ValueError, match="the content of participants.tsv is not there"):
        read_people(tmp_path, PRESENT)


def test_no_files_are_no_people(tmp_path):
    assert read_people(tmp_path, PRESENT).people.columns == []
