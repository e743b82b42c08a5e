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


def test_a_participant_named_without_sub_is_found():
    participants = Participants(table(participant_id=["1"], age=["30"]), {}, [])
    assert participants.of("sub-1") == {"age": 30}


def test_a_name_that_the_scans_have_already_gets_a_prefix():
    participants = Participants(table(participant_id=["1"], run_id=["x"]), {}, ["run_id"])
    assert participants.of("sub-1") == {"participants_run_id": "x"}


def test_descriptions_come_along():
    described = {"sex": {"Description": "Sex at birth", "Levels": {"F": "female"}}}
    (column,) = Participants(table(participant_id=["1"], sex=["F"]), described, []).columns
    assert column.entry()["Description"] == "Sex at birth"
    assert column.entry()["Levels"] == {"F": "female"}


def test_a_table_without_participant_id_is_refused():
    with pytest.raises(ValueError, match="participant_id"):
        Participants(table(age=["30"]), {}, [])
