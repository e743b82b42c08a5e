"""Changes between sessions: who is compared with whom, and from when on a change is one."""

from __future__ import annotations

import numpy as np
import pytest

from wirbel.core.dictionary.column import NUMBER, STRING, Column
from wirbel.core.plausibility.changes import (
    change_columns,
    find_pairs,
    session_ranks,
    smallest_detectable,
)

COLUMNS = (
    Column("level", STRING, "", ""),
    Column("height_mm", NUMBER, "", "", status="height_status"),
    Column("height_status", STRING, "", "", codes={"ok": "", "absent": ""}),
)
FIGURES = {"Difference95": 0.6, "Difference95ByRegion": {"cervical": 0.4, "lumbar": 0.5}}


def coded(values):
    names = sorted(set(values) - {""})
    return np.array([names.index(v) if v else -1 for v in values]), names


def test_sessions_follow_each_other_by_number():
    assert session_ranks(["10", "2", "baseline", "02b"]).tolist() == [2, 0, 3, 1]


def test_every_later_session_is_compared_with_the_first():
    """Two persons; one has three sessions of two levels, one of which the first session does not show."""
    people = coded(["a", "a", "a", "a", "a", "b"])
    sessions = coded(["10", "10", "1", "2", "2", ""])
    levels = np.array([0, 1, 0, 0, 1, 0])
    pairs = find_pairs(people, sessions, levels)
    assert list(zip(pairs.first, pairs.later, strict=True)) == [(2, 0), (4, 1), (2, 3)]


def test_of_two_runs_of_a_session_the_first_counts():
    pairs = find_pairs(coded(["a"] * 4), coded(["1", "1", "2", "2"]), np.zeros(4, int))
    assert list(zip(pairs.first, pairs.later, strict=True)) == [(0, 2)]


def test_without_sessions_nothing_is_compared():
    pairs = find_pairs(coded(["a", "a"]), coded(["", ""]), np.zeros(2, int))
    assert len(pairs.later) == 0
    empty = find_pairs((np.empty(0, int), []), (np.empty(0, int), []), np.empty(0, int))
    assert len(empty.first) == 0


def test_the_smallest_detectable_change_is_that_of_the_region():
    limits = smallest_detectable(FIGURES, ["C5", "T8", "L3", "L3-L4", "T12-L1"])
    assert list(limits.values()) == [0.4, 0.6, 0.5, 0.5, 0.6]
    resliced = smallest_detectable(FIGURES | {"Difference95Resliced": 0.45}, ["C5", "L3"])
    assert list(resliced.values()) == [0.45, 0.5]
    assert smallest_detectable(None, ["C5"])["C5"] == np.inf


def test_a_change_counts_beyond_the_smallest_detectable_one():
    """C5 grows by 0.5 mm, L3 by 0.5 mm exactly, L4 shrinks by 2 mm; of T8 the second scan is incomplete."""
    table = {
        "level": ["C5", "L3", "L4", "T8"] * 2,
        "height_mm": [14.0, 27.0, 28.0, 20.0, 14.5, 27.5, 26.0, 20.0],
        "height_status": ["ok"] * 7 + ["absent"],
    }
    people, sessions = coded(["a"] * 8), coded(["1"] * 4 + ["2"] * 4)
    levels = coded(table["level"])
    pairs = find_pairs(people, sessions, levels[0])
    readers = (lambda name: np.array(table[name], float), lambda name: coded(table[name]))
    found = change_columns(COLUMNS, pairs, levels, {"height_mm": FIGURES}, readers)
    assert found["height_mm_change"][:3] == pytest.approx([0.5, 0.5, -2.0])
    assert np.isnan(found["height_mm_change"][3])
    assert found["changed_columns"] == ["height_mm", "", "height_mm", ""]
    assert found["measured_once"] == ["", "", "", "height_mm"]
