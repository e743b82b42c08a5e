"""Grades of height loss, and their limits."""

from __future__ import annotations

import pytest

from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.measures.fractures import fracture_columns, grade


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


def row(level, anterior, middle, posterior):
    heights = {
        "height_anterior_mm": anterior,
        "height_middle_mm": middle,
        "height_posterior_mm": posterior,
    }
    status = "ok" if posterior else "touches_border"
    return {"label": LEVEL_LABELS[level], "height_status": status} | heights


def test_a_crushed_vertebra_is_compared_with_both_neighbours():
    rows = [row("T11", 24, 24, 24), row("T12", 15, 15, 15), row("L1", 26, 26, 26)]
    columns = fracture_columns(rows)[1]
    assert columns["crush_ratio"] == pytest.approx(15 / 25)
    assert (columns["genant_grade"], columns["genant_type"]) == (3, "crush")


def test_what_cannot_be_compared_says_why():
    alone = fracture_columns([row("T12", 24, 24, 24)])[0]
    assert alone["crush_ratio"] is None and alone["crush_status"] == "no_neighbour"
    assert alone["genant_grade"] is None and alone["genant_status"] == "no_neighbour"
    cut, below = fracture_columns([row("T12", None, None, None), row("L1", 26, 26, 26)])
    assert cut["genant_status"] == "touches_border" and cut["wedge_ratio"] is None
    assert below["crush_status"] == "no_neighbour"
    cervical = fracture_columns([row("C5", 13, 13, 13), row("C6", 13, 13, 13)])[0]
    assert cervical["wedge_ratio"] == 1 and cervical["genant_status"] == "not_defined_at_level"
