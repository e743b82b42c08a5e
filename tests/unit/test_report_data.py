"""What the QC report says about numbers: percentiles, outliers, centiles over age, what deserves a look."""

from __future__ import annotations

import json

import numpy as np
import pytest

from wirbel.report.ageing import FEWEST, age_curves, centiles_over_age
from wirbel.report.attention import attention
from wirbel.report.distributions import distribution
from wirbel.report.measures import Values, level_place
from wirbel.report.scripts import as_script
from wirbel.report.words import title


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--", "a\u2028b", 'x"y\\']
)
def test_no_text_ends_a_script_or_starts_a_tag(text):
    script = as_script("name", {"text": text})
    assert "<" not in script and ">" not in script and "\u2028" not in script
    assert json.loads(script.split(", ", 1)[1].removesuffix(");\n"))["text"] == text


def test_numbers_are_short_and_nothing_is_not_a_number():
    script = as_script(
        "n", [1.0, 0.1 + 0.2, float("nan"), np.float64(1234.56789), np.int64(7), None]
    )
    assert script == 'WIRBEL.put("n", [1,0.3,null,1234.57,7,null]);\n'


def of_level(values, outliers=()) -> Values:
    values = np.array(values, float)
    odd = np.isin(np.arange(len(values)), list(outliers))
    return Values("L1", values, np.arange(len(values)), odd)


def test_percentiles_of_the_numbers_from_0_to_100_are_themselves():
    found = distribution([of_level(range(101))])
    assert found["percentiles"] == [[1, 5, 25, 50, 75, 95, 99]]
    assert sum(found["counts"][0]) <= 101 and found["n"] == [101]


def test_of_many_values_the_outliers_alone_are_drawn():
    found = distribution([of_level(np.arange(5000), outliers=[17])])
    assert found["points"] == [[0, 17, 17.0, 1]]


def test_centiles_follow_a_straight_line_over_age():
    ages = np.repeat(np.arange(20, 81), 10).astype(float)
    grid, lines = centiles_over_age(ages, 100 - ages)
    inside = (grid >= 25) & (grid <= 75)
    assert np.allclose(lines[inside, 2], 100 - grid[inside])


def test_too_few_people_get_no_curve():
    few = of_level(range(FEWEST - 1))
    ages = np.full(FEWEST - 1, 50.0)
    assert age_curves([few], ages, (np.zeros(FEWEST - 1, int), ["F"])) == []
    more = of_level(range(FEWEST))
    curves = age_curves([more], np.full(FEWEST, 50.0), (np.zeros(FEWEST, int), ["F"]))
    assert curves[0]["n"] == FEWEST and curves[0]["centiles"][2] == [14.5]


def test_a_failed_scan_comes_before_a_flagged_one_and_that_before_an_outlier():
    none = np.zeros(4, int)
    score = attention(
        failed=np.array([1, 0, 0, 0]),
        flags=np.array([0, 2, 0, 0]),
        confidence=np.array([np.nan, 0.9, 0.5, 0.9]),
        disagree=none.astype(bool),
        out_of_range=none,
        outliers=np.array([0, 0, 0, 3]),
    )
    assert score.tolist() == [100, 20, 5, 3]


def test_levels_stand_from_the_top_down():
    assert sorted(["L5-S1", "T13", "L1", "C3", "T12"], key=level_place) == [
        "C3",
        "T12",
        "T13",
        "L1",
        "L5-S1",
    ]


def test_titles_are_words_without_units():
    assert (
        title("canal_ap_body_mm") == "Canal AP body" and title("disc_to_csf_ratio") == "Disc to CSF"
    )
