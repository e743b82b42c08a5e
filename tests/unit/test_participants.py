"""Columns of participants.tsv, with types found from their values."""

from __future__ import annotations

import pytest

from wirbel.core.participants import Participants


def table(**columns):
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_types_come_from_the_values():
    rows = table(
        participant_id=["sub-1", "sub-2"],
        age=["61", "n/a"],
        weight=["70.5", "81"],
        sex=["F", "M"],
        site=["007", "012"],
    )
    participants = Participants(rows, {}, [])
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
    participants = Participants(rows, {}, [])
    assert [participants.of(f"sub-{i}")["age"] for i in (1, 2, 3, 4)] == [61, None, None, None]
    assert participants.columns[0].kind == "integer"


def test_booleans():
    rows = table(participant_id=["1", "2"], smoker=["True", "false"], note=["true", "no"])
    participants = Participants(rows, {}, [])
    assert participants.of("sub-1") == {"smoker": True, "note": "true"}
    assert participants.of("sub-2") == {"smoker": False, "note": "no"}


def test_age_and_sex_are_known_by_their_names():
    rows = table(participant_id=["1"], Sex=["F"], weight=["70"], AGE=["89+"])
    participants = Participants(rows, {}, [])
    assert (participants.sex, participants.age) == ("Sex", "AGE")
    assert [column.name for column in participants.persons] == ["Sex", "AGE"]
    assert participants.of("sub-1")["AGE"] == "89+"
    assert not Participants([], {}, []).age


def test_two_different_rows_for_one_participant_are_refused():
    with pytest.raises(ValueError, match="two different rows for sub-1"):
        Participants(table(participant_id=["1", "sub-1"], age=["30", "31"]), {}, [])
    same = table(participant_id=["1", "1"], age=["30", "30"])
    assert Participants(same, {}, []).of("sub-1") == {"age": 30}


def test_a_row_that_is_too_short_has_missing_values():
    rows = [{"participant_id": "1", "age": None}, {"participant_id": "2", "age": "3"}]
    assert Participants(rows, {}, []).of("sub-1") == {"age": None}


def test_a_participant_named_without_sub_is_found():
    participants = Participants(table(participant_id=["1"], age=["30"]), {}, [])
    assert participants.of("sub-1") == {"age": 30}


def test_a_name_that_the_scans_have_already_gets_a_prefix():
    participants = Participants(table(participant_id=["1"], run_id=["x"]), {}, ["run_id"])
    assert participants.of("sub-1") == {"participants_run_id": "x"}


def test_names_that_differ_in_case_only_collide_and_every_name_is_used_once():
    rows = table(participant_id=["1"], participants_Level=["a"], Level=["b"], level=["c"])
    names = [column.name for column in Participants(rows, {}, ["level"]).columns]
    assert names == [
        "participants_Level",
        "participants_participants_Level",
        "participants_participants_participants_level",
    ]


def test_descriptions_come_along():
    described = {"sex": {"Description": "Sex at birth", "Levels": {"F": "female"}}}
    (column,) = Participants(table(participant_id=["1"], sex=["F"]), described, []).columns
    assert column.entry()["Description"] == "Sex at birth"
    assert column.entry()["Levels"] == {"F": "female"}


def test_a_table_without_participant_id_is_refused():
    with pytest.raises(ValueError, match="participant_id"):
        Participants(table(age=["30"]), {}, [])
