"""Grades of height loss, their limits, and what they are compared with."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from support.spines.chain_spine import ChainSpine, Link, disc, render

from wirbel.core.labels import LEVEL_LABELS, LEVEL_NAMES
from wirbel.core.measures import measure
from wirbel.core.measures.fractures.expected import (
    USUAL_POSTERIOR_MM,
    expected_height_mm,
    height_profile,
)
from wirbel.core.measures.fractures.grades import deformity_columns, fracture_columns, grade

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "measures" / "fractures.py"
SPECIFICATION = importlib.util.spec_from_file_location("fracture_simulation", SCRIPT)
SIMULATION = importlib.util.module_from_spec(SPECIFICATION)
sys.modules[SPECIFICATION.name] = SIMULATION
SPECIFICATION.loader.exec_module(SIMULATION)


@pytest.mark.parametrize(
    ("wedge", "biconcave", "crush", "number", "kind"),
    [
        (1.0, 1.0, 1.0, 0, "none"),
        (0.81, 0.9, 1.0, 0, "none"),
        (0.79, 0.9, 1.0, 1, "wedge"),
        (0.9, 0.74, 1.0, 2, "biconcave"),
        (0.95, 0.9, 0.59, 3, "crush"),
        (0.60, 0.75, 0.75, 3, "wedge"),
    ],
)
def test_the_largest_loss_decides(wedge, biconcave, crush, number, kind):
    columns = grade({"wedge": wedge, "biconcave": biconcave, "crush": crush})
    assert (columns["genant_grade"], columns["genant_type"]) == (number, kind)
    assert columns["height_loss_percent"] == pytest.approx(100 * (1 - min(wedge, biconcave, crush)))


def row(level, anterior=1.0, middle=1.0, posterior=1.0):
    """Return a vertebra whose heights, everywhere alike from 15 % to the rim, are these parts of the usual one."""
    usual = USUAL_POSTERIOR_MM[LEVEL_LABELS[level]]
    values = [None if part is None else part * usual for part in (anterior, middle, posterior)]
    names = ("anterior", "middle", "posterior")
    heights = {f"height_{n}_mm": v for n, v in zip(names, values, strict=True)}
    heights |= {f"corner_height_{n}_mm": v for n, v in zip(names, values, strict=True)}
    status = "ok" if posterior else "touches_border"
    return {"label": LEVEL_LABELS[level], "height_status": status} | heights


THORACOLUMBAR = ("T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3")


def graded(**changed):
    """Return level -> columns of a spine in which some levels have lost height."""
    rows = [row(level, *changed.get(level, ())) for level in THORACOLUMBAR]
    return dict(zip(THORACOLUMBAR, fracture_columns(rows), strict=True))


def test_neighbouring_fractures_do_not_hide_each_other():
    lost = (0.65, 0.65, 0.65)
    columns = graded(T11=lost, T12=lost, L1=lost)
    assert [columns[v]["genant_grade"] for v in THORACOLUMBAR] == [0, 0, 0, 2, 2, 2, 0, 0]
    assert columns["T12"]["genant_type"] == "crush"
    assert columns["T10"]["crush_ratio"] == pytest.approx(23.1 / 22.1)  # T11 does not count


@pytest.mark.parametrize("other", [2.2, 0.5])
def test_a_merged_or_half_neighbour_does_not_make_a_healthy_vertebra_a_fracture(other):
    columns = graded(T12=(other,) * 3)
    assert columns["T11"]["genant_grade"] == columns["L1"]["genant_grade"] == 0
    assert columns["L1"]["crush_ratio"] == pytest.approx(27.0 / 27.6)


def test_a_combined_collapse_is_graded_by_what_the_front_has_lost():
    columns = graded(T12=(0.55, 0.7, 0.8))["T12"]
    assert columns["height_loss_percent"] == pytest.approx(45)
    assert (columns["genant_grade"], columns["genant_type"]) == (3, "wedge")
    assert columns["wedge_ratio"] == pytest.approx(0.55 / 0.8)


def test_a_low_vertebra_whose_endplates_do_not_dip_is_short():
    assert graded(T12=(0.72, 0.86, 1.0))["T12"]["short_vertebral_height"] is True
    assert graded(T12=(0.95, 0.70, 1.0))["T12"]["short_vertebral_height"] is False
    assert graded()["T12"]["short_vertebral_height"] is False


def test_what_cannot_be_compared_says_why():
    alone = fracture_columns([row("T12")])[0]
    assert alone["crush_ratio"] is None and alone["crush_status"] == "no_neighbour"
    assert alone["genant_grade"] is None and alone["genant_status"] == "no_neighbour"
    cut, below = fracture_columns([row("T12", None, None, None), row("L1")])
    assert cut["genant_status"] == "touches_border" and cut["wedge_ratio"] is None
    assert below["crush_status"] == "no_neighbour"
    cervical = fracture_columns([row("C5"), row("C6"), row("C7")])[0]
    assert cervical["wedge_ratio"] == 1 and cervical["genant_status"] == "not_defined_at_level"


def test_the_expected_height_is_that_of_the_scan():
    small = {LEVEL_LABELS[v]: 0.8 * USUAL_POSTERIOR_MM[LEVEL_LABELS[v]] for v in THORACOLUMBAR}
    profile = height_profile(small, {})
    label = LEVEL_LABELS["T10"]
    assert expected_height_mm(label, profile) == pytest.approx(small[label])
    assert expected_height_mm(label, height_profile({label: small[label]}, {})) is None


def test_proportions_that_change_along_the_spine_are_followed():
    """All bodies are 25 mm high, as in nobody: T8 is then 16 % higher than usual, L3 8 % lower."""
    equal = {LEVEL_LABELS[v]: 25.0 for v in THORACOLUMBAR}
    profile = height_profile(equal, {})
    for label in equal:
        assert expected_height_mm(label, profile) == pytest.approx(25, rel=0.05)


def test_of_two_heights_that_disagree_the_higher_one_is_believed():
    t11, t12 = LEVEL_LABELS["T11"], LEVEL_LABELS["T12"]
    usual = USUAL_POSTERIOR_MM
    profile = height_profile({t11: usual[t11], t12: 0.65 * usual[t12]}, {})
    assert expected_height_mm(t12, profile) == pytest.approx(usual[t12], rel=0.02)
    assert expected_height_mm(t11, profile) is None  # nothing plausible is left to compare it with


def test_grades_of_200_simulated_fractures():
    """Single, combined and adjacent ones, beside merged and half-missing vertebrae; levels stray by 2.5 %."""
    rng, tally = np.random.default_rng(1), Counter()
    while sum(n for (kind, _), n in tally.items() if kind != "intact") < 200:
        case = SIMULATION.sample(rng)
        rows = SIMULATION.rows(case, rng)
        columns = zip(rows, fracture_columns(rows), strict=True)
        SIMULATION.compare(case, {row["label"]: row | more for row, more in columns}, tally)
    wrong = {kind: n for (kind, right), n in tally.items() if not right}
    assert wrong.pop("intact", 0) <= 0.005 * tally["intact", True]
    assert sum(wrong.values()) <= 0.05 * 200, wrong


def test_grades_are_summed_up_and_partial_sums_say_so():
    rows = [{"label": v, "genant_grade": k % 2 * 3} for k, v in enumerate(range(11, 24))]
    whole = deformity_columns(rows)
    assert whole["spinal_deformity_index"] == 18 and whole["fracture_count"] == 6
    assert whole["deformity_status"] == "ok" and whole["vertebrae_graded"] == 13
    assert deformity_columns(rows[1:])["deformity_status"] == "not_in_view"
    assert deformity_columns([])["fracture_count"] is None


def test_corner_heights_of_drawn_vertebrae_decide_the_grade():
    """The front of T11 has lost 28 % at the rim, the middle of L1 23 %; at 15 and 85 % of the depth less is lost."""
    levels = [LEVEL_LABELS[name] for name in ("T9", "T10", "T11", "T12", "L1", "L2")]
    links = []
    for v in levels:
        high = USUAL_POSTERIOR_MM[v]
        front = 0.72 * high if LEVEL_NAMES[v] == "T11" else high
        middle = 0.77 * high if LEVEL_NAMES[v] == "L1" else (high + front) / 2
        links += [Link(v, high, front, 30, 42, middle), disc(v, 6, 6, 31, 43)]
    rows = {r["level"]: r for r in measure(None, *render(ChainSpine(links[:-1]))).vertebrae}
    grades = {name: r["genant_grade"] for name, r in rows.items()}
    assert grades == {"T9": 0, "T10": 0, "T11": 2, "T12": 0, "L1": 1, "L2": 0}
    assert rows["L1"]["genant_type"] == "biconcave" and rows["T11"]["genant_type"] == "wedge"
