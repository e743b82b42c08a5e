"""Plausibility flags: scores that one works out on paper, and who is compared with whom."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from wirbel.core.dictionary.column import INTEGER, NUMBER, STRING, Column
from wirbel.core.dictionary.plausibility import PLAUSIBILITY, SCORE
from wirbel.core.plausibility import scores as S
from wirbel.core.plausibility.flags import look_at
from wirbel.core.plausibility.scores import modified_z, resistant_slope, without_age
from wirbel.core.plausibility.strata import Strata, as_age, strata_of


def test_the_score_of_five_values():
    # median 3, distances 2 1 0 1 97, MAD 1: 0.6745 * 97 = 65.4
    np.testing.assert_allclose(
        modified_z(np.array([1.0, 2, 3, 4, 100])), [-1.349, -0.6745, 0, 0.6745, 65.4265]
    )


def test_the_mean_deviation_takes_over_where_the_mad_is_zero():
    # median 0, MAD 0, mean absolute deviation 8 / 4 = 2: 8 / (1.253314 * 2) = 3.19
    np.testing.assert_allclose(modified_z(np.array([0.0, 0, 0, 8])), [0, 0, 0, 3.19154], rtol=1e-5)


def test_values_that_differ_by_rounding_alone_are_equal():
    values = np.append(np.tile([10.0, 10.0 + 2e-15], 20), 11.0)
    assert abs(modified_z(values)[0]) < 1 and 3.5 < modified_z(values)[-1] < 100


def test_equal_values_score_zero():
    assert modified_z(np.full(4, 7.0)).tolist() == [0, 0, 0, 0]


def test_scores_are_those_of_standard_deviations_for_normal_values():
    values = np.random.default_rng(0).normal(10, 2, 100_001)
    np.testing.assert_allclose(modified_z(values)[:9], ((values - 10) / 2)[:9], atol=0.05)


def test_a_line_is_found_exactly_and_a_sixth_of_wrong_values_does_not_bend_it():
    age = np.linspace(20, 75, 90)
    height = 28 - 0.05 * age
    assert resistant_slope(age, height) == pytest.approx(-0.05, abs=1e-6)
    height[-14:] = 90
    assert resistant_slope(age, height) == pytest.approx(-0.05, abs=0.02)
    assert np.polyfit(age, height, 1)[0] > 0.5  # least squares follows them


def test_no_slope_where_all_have_the_same_age():
    assert resistant_slope(np.full(9, 40.0), np.arange(9.0)) == 0


def test_values_are_brought_to_the_median_age():
    age = np.append(np.linspace(20, 80, 101), np.nan)
    values = np.append(30 - 0.1 * (age[:-1] - 50), 12.0)
    adjusted = without_age(values, age)
    np.testing.assert_allclose(adjusted[:-1], 30, atol=1e-6)
    assert adjusted[-1] == 12  # of unknown age: as it is
    few = S.MINIMUM_FOR_AGE - 1
    assert without_age(values[:few], age[:few]) is not None
    np.testing.assert_array_equal(without_age(values[:few], age[:few]), values[:few])


def normal_group(median, n=41):
    """Values whose MAD is 10 and which nobody would call outliers."""
    return median + np.linspace(-20, 20, n)


def test_rows_are_compared_within_their_level_and_sex():
    women, men = normal_group(100), normal_group(400)
    values = np.concatenate([women, men, [250.0]])  # 250 is odd for both sexes, not for the level
    sex = np.array([0] * 41 + [1] * 42)
    strata = Strata(np.zeros(83, int), sex, np.full(83, np.nan))
    assert abs(strata.scores(values)[-1]) > S.OUTLIER_SCORE
    together = Strata(np.zeros(83, int), np.full(83, -1), np.full(83, np.nan))
    assert abs(together.scores(values)[-1]) < 1


def test_unknown_sex_and_small_groups_are_compared_with_the_level():
    values = np.concatenate([normal_group(100), [100.0, 300.0]])
    sex = np.array([0] * 41 + [-1, 1])
    scores = Strata(np.zeros(43, int), sex, np.full(43, np.nan)).scores(values)
    assert scores[-2] == 0 and scores[-1] == pytest.approx(0.6745 * 200 / 10, rel=0.1)


def test_the_reference_gives_the_score_of_a_person_who_was_not_among_them():
    """Heights fall by 0.1 mm a year from 30 mm at 50 years, and scatter by 1 mm (MAD) around that."""
    ages = np.linspace(20, 80, 120)
    values = 30 - 0.1 * (ages - 50) + np.tile([-1.5, 0.5, -0.5, 1.5], 30)
    _, (group,) = Strata(np.zeros(120, int), np.zeros(120, int), ages).compare(values)
    norm = group.reference
    assert (group.level, group.sex, norm.count, norm.ages_known, norm.age) == (0, 0, 120, 120, 50)
    assert norm.slope == pytest.approx(-0.1, abs=0.01) and norm.sd == pytest.approx(1.48, abs=0.05)
    new = norm.scores(np.array([33.0 - 0.1 * 20]), np.array([70.0]))  # 3 mm above the line
    assert new[0] == pytest.approx((3.0 - (norm.median - 30)) / norm.sd, abs=0.2)


def test_a_value_without_enough_people_beside_it_says_so():
    table = {"level": ["L1"] * 29, "height_mm": np.arange(29.0), "depth_mm": np.full(29, np.nan)}
    table |= {"count": [3] * 29, "x_mm": np.zeros(29), "height_status": ["ok"] * 28 + ["absent"]}
    found = look(table, 29).score_columns()
    assert np.isnan(found["height_mm_z"]).all()
    assert found["too_few_to_compare"] == ["height_mm"] * 28 + [""]


def test_too_small_a_level_no_level_and_no_value_give_no_score():
    values = np.append(normal_group(0, S.MINIMUM_GROUP), [1.0, 2.0, np.nan])
    levels = np.array([0] * S.MINIMUM_GROUP + [1, -1, 0])
    scores = Strata(levels, np.full(len(levels), -1), np.full(len(levels), np.nan)).scores(values)
    assert np.isfinite(scores[: S.MINIMUM_GROUP]).all() and np.isnan(scores[-3:]).all()


def test_age_is_taken_out_within_the_group():
    ages = np.linspace(20, 80, 101)
    values = 30 - 0.2 * ages + np.tile([-0.1, 0.1], 51)[:101]
    values[0] -= 6  # ordinary for 50 years, odd for 20
    rows = np.zeros(101, int)
    assert abs(Strata(rows, rows, ages).scores(values)[0]) > 20
    assert abs(Strata(rows, rows, np.full(101, np.nan)).scores(values)[0]) < 1


def test_ages_and_sexes_as_participants_files_write_them():
    assert [as_age(text) for text in (61, "61", "89+", 0.5)] == [61, 61, 89, 0.5]
    assert all(math.isnan(as_age(text)) for text in ("unknown", 999, -1, "nan"))
    values = np.concatenate([normal_group(100, 80), normal_group(400, 40)])
    sex = (np.repeat([0, 2, 1], 40), ["F", "M", "f"])  # 40 F, 40 f, 40 M
    codes = np.repeat([0, 2, 1], 40)
    merged = strata_of(120, None, (codes, sex[1]), None).scores(values)
    np.testing.assert_array_equal(merged[:80], modified_z(values[:80]))


COLUMNS = (
    Column("level", STRING, "", ""),
    Column("height_mm", NUMBER, "", "", interval=(0.0, 1000.0), status="height_status"),
    Column("depth_mm", NUMBER, "", ""),
    Column("count", INTEGER, "", "", interval=(0, 25)),
    Column("x_mm", NUMBER, "", "", compared=False),
    Column("height_status", STRING, "", "", codes={"ok": "", "absent": ""}),
    *PLAUSIBILITY,
)


def flag(table, rows, columns=COLUMNS):
    return look(table, rows, columns).columns()


def look(table, rows, columns=COLUMNS):
    def categories(name):
        values = sorted(set(table[name]))
        return np.array([values.index(v) for v in table[name]]), values

    strata = strata_of(rows, categories("level"), None, None)
    return look_at(columns, strata, lambda name: np.array(table[name], float), categories, rows)


@pytest.fixture
def table():
    n = 41
    return {
        "level": ["L1"] * n,
        "height_mm": normal_group(500, n),
        "depth_mm": normal_group(300, n),
        "count": [3] * n,
        "x_mm": np.zeros(n),
        "height_status": ["ok"] * n,
    }


def test_an_ordinary_row_has_no_flags(table):
    found = flag(table, 41)
    assert list(found) == [column.name for column in PLAUSIBILITY]
    for name in ("plausibility_flags", "outlier_columns", "out_of_range_columns"):
        assert found[name] == [""] * 41
    assert found["largest_modified_z"][20] == 0
    assert found["largest_modified_z"][0] == pytest.approx(-1.35, abs=0.07)


def test_outliers_are_named_the_largest_first(table):
    table["height_mm"][0], table["depth_mm"][0], table["x_mm"][0] = 600, 800, 1e6
    found = flag(table, 41)
    assert found["plausibility_flags"][0] == "outlier"
    assert found["outlier_columns"][0] == "depth_mm;height_mm"
    assert found["outlier_columns"][1:] == [""] * 40
    assert found["largest_modified_z"][0] > 30


def test_values_outside_their_range_are_named(table):
    table["height_mm"][0], table["count"][0] = 1001, 26
    found = flag(table, 41)
    assert found["plausibility_flags"][0] == "outlier;out_of_range"
    assert found["out_of_range_columns"][0] == "height_mm;count"
    assert found["outlier_columns"][0] == "height_mm"  # counts are not scored


def test_a_level_has_its_own_range(table):
    """50 is a height that an L1 may have and a C3 may not; a level without a range of its own has the overall one."""
    by_level = {"C3": (0.0, 40.0), "L1": (20.0, 100.0)}
    column = replace(COLUMNS[1], level_intervals=by_level)
    table["level"][:3] = ["C3", "C3", "T1"]
    table["height_mm"][:4] = [50, 30, 50, 50]
    found = flag(table, 41, (COLUMNS[0], column, *COLUMNS[2:]))
    assert found["out_of_range_columns"][:4] == ["height_mm", "", "", ""]
    assert set(found["out_of_range_columns"][4:]) == {"height_mm"}  # 480 to 520, far above an L1


def test_incomplete_values_are_neither_flagged_nor_compared_with(table):
    table["height_status"][:10] = ["absent"] * 10
    table["height_mm"][:10] = 5000
    table["depth_mm"][0] = np.nan
    found = flag(table, 41)
    assert found["plausibility_flags"] == ["not_compared"] + [""] * 40
    assert np.isnan(found["largest_modified_z"][0])
    assert found["largest_modified_z"][25] != 0 and max(found["largest_modified_z"][10:]) < 2


def test_a_small_table_says_that_it_was_not_compared(table):
    small = {name: values[:5] for name, values in table.items()}
    assert flag(small, 5)["plausibility_flags"] == ["not_compared"] * 5
    empty = {name: values[:0] for name, values in table.items()}
    assert list(flag(empty, 0)["largest_modified_z"]) == []


def test_the_dictionary_states_the_numbers_of_the_code():
    for number in (S.MAD_TO_SD, S.MEAN_DEVIATION_TO_SD, S.MINIMUM_GROUP):
        assert str(number) in SCORE
    assert math.sqrt(math.pi / 2) == pytest.approx(S.MEAN_DEVIATION_TO_SD, abs=1e-6)
    outlier = next(c for c in PLAUSIBILITY if c.name == "outlier_columns")
    assert f"above {S.OUTLIER_SCORE}" in outlier.definition
