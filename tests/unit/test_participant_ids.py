"""Ids that a spreadsheet has been through are matched where only one participant can be meant."""

from wirbel.core.people.participant_ids import match_ids, session_form


def test_ids_with_and_without_sub():
    assert match_ids(["sub-01", "02", "03"], ["sub-01", "sub-02"]) == {
        "sub-01": "sub-01",
        "02": "sub-02",
    }


def test_leading_zeros_that_were_stripped_and_another_case():
    present = ["sub-001", "sub-010", "sub-AB7", "sub-0"]
    assert match_ids(["1", "10.0", "SUB-ab7", "000"], present) == {
        "1": "sub-001",
        "10.0": "sub-010",
        "SUB-ab7": "sub-AB7",
        "000": "sub-0",
    }


def test_an_exact_id_comes_first():
    assert match_ids(["1", "001"], ["sub-1", "sub-001"]) == {"1": "sub-1", "001": "sub-001"}
    assert match_ids(["ab", "AB"], ["sub-AB"]) == {"AB": "sub-AB"}


def test_nothing_is_guessed():
    assert match_ids(["1"], ["sub-01", "sub-001"]) == {}, "two participants could be meant"
    assert match_ids(["1", "01"], ["sub-001"]) == {}, "two ids could mean one participant"


def test_long_ids_are_no_numbers():
    ids = ["1234567890123456781", "1234567890123456782"]
    assert match_ids(ids, [f"sub-{i}" for i in ids]) == {i: f"sub-{i}" for i in ids}
    assert match_ids(["12E4"], ["sub-120000", "sub-12e4"]) == {"12E4": "sub-12e4"}


def test_sessions_are_compared_likewise():
    assert len({session_form(name) for name in ("ses-01", "SES-1", "01", "1", "1.0")}) == 1
    assert session_form("ses-baseline") != session_form("ses-followup")
