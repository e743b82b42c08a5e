"""Readers' decisions: read, put together, compared by Cohen's kappa, and level names moved as they say."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.reviewing.reviews import Decision, agreement, cohen_kappa, combined
from wirbel.core.reviewing.shifting import ShiftError, moved_names, shifted
from wirbel.io.foreign.review_files import read_reviews
from wirbel.study.listing.reviews import check_reviews
from wirbel.study.refused import Refused

HEAD = "scan_id\tdecision\tshift\tcomment\treader\treviewed_at\n"


def written(folder, text, name="reviews.tsv"):
    path = folder / name
    path.write_text(HEAD + text, encoding="utf-8")
    return str(path)


def test_a_file_is_read_and_the_last_row_about_a_scan_counts(tmp_path):
    text = "sub-1\taccept\t\t\tAnn\t\nsub-1\treject\t\tmotion\tAnn\t\nsub-2\trelabel\t-1\t\t\t\n"
    assert read_reviews(written(tmp_path, text)) == {
        "sub-1": Decision("reject", 0, "motion", "Ann"),
        "sub-2": Decision("relabel", -1),
    }


def test_a_quote_that_is_never_closed_swallows_no_decision(tmp_path):
    text = 'sub-1\tcomment\t\t"odd disc\tAnn\t\nsub-2\treject\t\t\tAnn\t\n'
    assert read_reviews(written(tmp_path, text)) == {
        "sub-1": Decision("comment", 0, '"odd disc', "Ann"),
        "sub-2": Decision("reject", 0, "", "Ann"),
    }


def test_a_file_that_a_spreadsheet_saved_anew_is_read(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("\ufeffscan_id;decision;comment\r\nsub-1;accept;fine\r\n", encoding="utf-8")
    assert read_reviews(path) == {"sub-1": Decision("accept", 0, "fine")}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("sub-1\tmaybe\t\t\t\t", "line 2: decision 'maybe'; expected accept, reject"),
        ("sub-1\trelabel\t\t\t\t", "line 2: shift ''; expected by how many levels"),
        ("sub-1\trelabel\tL2\t\t\t", "line 2: shift 'L2'"),
        ("sub-2\taccept\t\t\t\t\nsub-1\taccept\t\t\t\t\tmore", "line 3 has 7 cells"),
    ],
)
def test_a_wrong_line_is_named_before_any_job_starts(tmp_path, row, told):
    with pytest.raises(Refused, match="reviews.tsv") as error:
        check_reviews([written(tmp_path, row + "\n")], {"sub-1"})
    assert told in str(error.value)


def test_a_file_that_is_not_there_or_another_table_is_refused(tmp_path):
    with pytest.raises(Refused, match="cannot be read"):
        check_reviews([str(tmp_path / "none.tsv")], ())
    (tmp_path / "other.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(Refused, match="no column 'scan_id'"):
        check_reviews([str(tmp_path / "other.tsv")], ())


def test_scans_of_another_cohort_are_told_and_left_out(tmp_path):
    found = check_reviews([written(tmp_path, "sub-9\taccept\t\t\t\t\n")], {"sub-1"})
    assert found.reviews == {} and "1 scan is not here, such as sub-9" in found.remarks[0]


def test_readers_who_differ_leave_the_names_as_they_are():
    first = {
        "a": Decision("relabel", 1),
        "b": Decision("accept"),
        "c": Decision("comment", 0, "odd"),
    }
    second = {
        "a": Decision("relabel", 2),
        "b": Decision("accept", 0, "fine"),
        "d": Decision("reject"),
    }
    found = combined([first, second])
    assert {scan: (r.review, r.shift) for scan, r in found.items()} == {
        "a": ("disputed", 0),
        "b": ("accepted", 0),
        "c": ("commented", 0),
        "d": ("rejected", 0),
    }
    assert found["b"].comment == "fine"


def test_cohens_kappa_of_the_textbook():
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.7, by chance 0.5, so 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    assert cohen_kappa([("y", "y")]) is None and cohen_kappa([]) is None


def test_two_files_give_one_sentence():
    one = {"a": Decision("accept"), "b": Decision("reject"), "c": Decision("comment")}
    (told,) = agreement(["ann.tsv", "ben.tsv"], [one, one])
    assert told == "ann.tsv and ben.tsv: 2 scans decided by both, 2 equally; Cohen's kappa 1.00"


def names(*levels):
    return [LEVEL_LABELS[level] for level in levels]


@pytest.mark.parametrize(
    ("before", "shift", "after"),
    [
        (("T12", "L1", "L5"), 1, ("L1", "L2", "L6")),
        (("L1", "L2"), -1, ("T12", "L1")),
        (("T12", "T13", "L1"), -1, ("T11", "T12", "L1")),
        (("C7", "T2"), 1, ("T1", "T3")),  # the gap stays
    ],
)
def test_names_move_along_the_spine(before, shift, after):
    moved = moved_names(names(*before), shift)
    assert [moved[label] for label in names(*before)] == names(*after)


def test_discs_follow_and_the_sacrum_stays():
    l4, l5 = names("L4", "L5")
    before = np.array([0, l4, 100 + l4, 200 + l4, l5, 26], np.uint8)
    moved = shifted(before, -1)
    l3 = LEVEL_LABELS["L3"]
    assert moved.tolist() == [0, l3, 100 + l3, 200 + l3, l4, 26]


def test_names_do_not_leave_the_spine():
    with pytest.raises(ShiftError, match="from L5 to L6 cannot be moved by 1"):
        moved_names(names("L5", "L6"), 1)
