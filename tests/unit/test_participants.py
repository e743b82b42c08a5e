"""Columns of participants.tsv, with types found from their values."""

from __future__ import annotations

import pytest

from wirbel.core.people.table_columns import Participants
from wirbel.core.people.values import People, add_sessions, gather_people, merge_people

PRESENT = [f"sub-{number}" for number in range(1, 6)]


def table(**columns):
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def people_of(rows):
    return gather_people(list(rows[0]), rows, range(2, len(rows) + 2), PRESENT)


def participants_of(rows, descriptions=None, taken=()):
    return Participants(people_of(rows), descriptions or {}, taken)


def test_types_come_from_the_values():
    rows = table(
        participant_id=["sub-1", "sub-2"],
        age=["61", "n/a"],
        weight=["70.5", "81"],
        sex=["F", "M"],
        site=["007", "012"],
    )
    participants = participants_of(rows)
    assert {c.name: c.kind for c in participants.columns} == {
        "age": "integer",
        "weight": "number",
        "sex": "string",
        "site": "string",  # a leading zero marks a code
    }
    assert participants.of("sub-1") == {"age": 61, "weight": 70.5, "sex": "F", "site": "007"}
    assert participants.of("sub-2")["age"] is None
    assert participants.of("sub-3") == {}


def test_missing_values_as_bids_r_and_pandas_write_them():
    rows = table(participant_id=["1", "2", "3", "4"], age=["61", "n/a", "NA", " nan "])
    participants = participants_of(rows)
    assert [participants.of(f"sub-{i}")["age"] for i in (1, 2, 3, 4)] == [61, None, None, None]
    assert participants.columns[0].kind == "integer"


def test_booleans():
    rows = table(participant_id=["1", "2"], smoker=["True", "false"], note=["true", "no"])
    participants = participants_of(rows)
    assert participants.of("sub-1") == {"smoker": True, "note": "true"}
    assert participants.of("sub-2") == {"smoker": False, "note": "no"}


def test_age_and_sex_are_known_by_their_names():
    rows = table(participant_id=["1"], Sex=["F"], weight=["70"], AGE=["89+"])
    participants = participants_of(rows)
    assert (participants.sex, participants.age) == ("Sex", "AGE")
    assert [column.name for column in participants.persons] == ["Sex", "AGE"]
    assert not Participants(People(), {}, []).age


def test_ages_stay_numbers_though_the_oldest_are_not_told():
    rows = table(participant_id=["1", "2", "3"], age=["61", "89+", "n/a"], age_text=["a", "b", "c"])
    participants = participants_of(rows)
    assert [(c.name, c.kind) for c in participants.columns] == [
        ("age", "integer"),
        ("age_text", "string"),
        ("participants_age_text", "string"),
    ]
    assert participants.age == "age"
    told = [participants.of(f"sub-{i}") for i in (1, 2, 3)]
    assert [row["age"] for row in told] == [61, 89, None]
    assert [row["age_text"] for row in told] == ["61", "89+", None]
    assert [row["participants_age_text"] for row in told] == ["a", "b", "c"]


def test_ages_that_are_no_numbers_stay_as_they_are():
    rows = table(participant_id=["1", "2"], age=["old", "89+"])
    assert [(c.name, c.kind) for c in participants_of(rows).columns] == [("age", "string")]


def test_rows_that_contradict_each_other_are_named_and_not_used():
    rows = table(participant_id=["1", "2", "sub-1"], age=["30", "50", "31"])
    people = people_of(rows)
    assert people.faults == ["lines 2, 4 contradict each other about sub-1"]
    assert Participants(people, {}, []).of("sub-1") == {"age": None}
    assert Participants(people, {}, []).of("sub-2") == {"age": 50}
    same = table(participant_id=["1", "1"], age=["30", "30"])
    assert participants_of(same).of("sub-1") == {"age": 30}


def test_one_row_per_session_is_joined_by_session():
    rows = table(
        participant_id=["1", "1", "2"], session_id=["ses-a", "ses-b", "n/a"], age=["30", "35", "50"]
    )
    rows[2]["session_id"] = ""
    participants = participants_of(rows)
    assert [c.name for c in participants.columns] == ["age"]
    assert participants.of("sub-1", "ses-b") == {"age": 35}
    assert participants.of("sub-1", "ses-c") == {} == participants.of("sub-1"), "which one?"
    assert participants.of("sub-2", "ses-a") == participants.of("sub-2") == {"age": 50}


def test_the_only_row_of_a_participant_serves_scans_without_a_session():
    rows = table(participant_id=["1"], session_id=["01"], age=["30"])
    assert participants_of(rows).of("sub-1") == participants_of(rows).of("sub-1", "ses-1")


def test_sessions_add_to_and_are_more_exact_than_participants():
    people = people_of(table(participant_id=["1", "2"], age=["30", "50"], sex=["F", "M"]))
    rows = table(session_id=["ses-a", "ses-b"], age=["31", ""], weight=["60", "61.5"])
    of_sessions = People()
    add_sessions(of_sessions, "sub-1", list(rows[0]), rows, [2, 3])
    merge_people(people, of_sessions)
    participants = Participants(people, {}, [])
    assert participants.of("sub-1", "ses-a") == {"age": 31, "sex": "F", "weight": 60.0}
    assert participants.of("sub-1", "ses-b") == {"age": 30, "sex": "F", "weight": 61.5}
    assert participants.of("sub-2", "ses-a") == {"age": 50, "sex": "M", "weight": None}


def test_codes_that_look_like_numbers_stay_text():
    rows = table(
        participant_id=["1", "2"],
        plate=["12E4", "13E5"],
        pseudonym=["1234567890123456781", "1234567890123456782"],
        dose=["1.2e5", "1e-05"],
    )
    kinds = {c.name: c.kind for c in participants_of(rows).columns}
    assert kinds == {"plate": "string", "pseudonym": "string", "dose": "number"}


def test_ids_that_mean_nobody_and_rows_without_id_are_told():
    people = people_of(table(participant_id=["99", "", "1"], age=["1", "2", "3"]))
    assert people.unmatched == ["99"] and people.faults == ["line 3 has no participant_id"]
    assert people.listed() == {"sub-1"}


def test_a_row_that_is_too_short_has_missing_values():
    rows = [{"participant_id": "1", "age": None}, {"participant_id": "2", "age": "3"}]
    assert participants_of(rows).of("sub-1") == {"age": None}


def test_a_participant_named_without_sub_is_found():
    participants = participants_of(table(participant_id=["1"], age=["30"]), taken=[])
    assert participants.of("sub-1") == {"age": 30}


def test_a_name_that_the_scans_have_already_gets_a_prefix():
    participants = participants_of(table(participant_id=["1"], run_id=["x"]), taken=["run_id"])
    assert participants.of("sub-1") == {"participants_run_id": "x"}


def test_names_that_differ_in_case_only_collide_and_every_name_is_used_once():
    rows = table(participant_id=["1"], participants_Level=["a"], Level=["b"], level=["c"])
    names = [column.name for column in participants_of(rows, taken=["level"]).columns]
    assert names == [
        "participants_Level",
        "participants_participants_Level",
        "participants_participants_participants_level",
    ]


def test_descriptions_come_along():
    described = {"sex": {"Description": "Sex at birth", "Levels": {"F": "female"}}}
    (column,) = participants_of(table(participant_id=["1"], sex=["F"]), described).columns
    assert column.entry()["Description"] == "Sex at birth"
    assert column.entry()["Levels"] == {"F": "female"}


def test_a_table_without_usable_ids_is_refused():
    with pytest.raises(ValueError, match="no column participant_id.*its columns are age"):
        people_of(table(age=["30"]))
    with pytest.raises(
        ValueError, match="two columns for the id: 'participant_id' and 'Participant ID'"
    ):
        people_of([{"participant_id": "1", "Participant ID": "2"}])
    with pytest.raises(ValueError, match="two columns for the id"):
        people_of([{"participant_id": "1", "participant_id_2": "2"}])
    assert people_of([{"participant_id": "1", "participant_id_2": "1", "age": "3"}]).columns == [
        "age"
    ]
    assert participants_of([{"Participant_ID": "1", "age": "30"}]).of("sub-1") == {"age": 30}
