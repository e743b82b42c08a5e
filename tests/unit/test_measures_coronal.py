"""Coronal curves of spines whose endplates tilt by known angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from wirbel.core.labels import DISC_OFFSET, LEVEL_LABELS
from wirbel.core.measures.curvature.coronal import cobb_columns
from wirbel.core.measures.frames import Frame
from wirbel.core.measures.shape.endplates import Endplate

FRAME = Frame(np.zeros(3), np.eye(3))
LEVELS = ("T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4")
STEP_MM = 30.0


@dataclass(frozen=True)
class Place:
    """Where a structure is."""

    centroid_mm: np.ndarray


@dataclass(frozen=True)
class Body:
    """A body between two endplates of one normal."""

    region: Place
    normal: np.ndarray

    def endplate(self, side: int) -> Endplate:
        """The upper (1) or lower (-1) endplate."""
        return Endplate(self.normal, np.zeros(3), np.ones(3))


def spine(leans_deg) -> dict:
    """Return bodies and discs whose axes lean to the right by these angles, one for each level from the top down."""
    solids, at = {}, np.zeros(3)
    for level, lean in zip(LEVELS, leans_deg, strict=True):
        axis = np.array([np.sin(np.deg2rad(lean)), 0.0, np.cos(np.deg2rad(lean))])
        solids[LEVEL_LABELS[level]] = Body(Place(at - axis * STEP_MM / 2), axis)
        at = at - axis * STEP_MM
        solids[DISC_OFFSET + LEVEL_LABELS[level]] = Body(Place(at), axis)
    return solids


def test_a_spine_that_bows_to_the_right():
    """It leans to the right by 15 degrees at the bottom and to the left by as much at the top: convex to the right."""
    found = cobb_columns(spine(np.linspace(-15, 15, 12)), FRAME)
    assert found["cobb_angle_deg"] == pytest.approx(30)
    assert (found["cobb_upper_level"], found["cobb_lower_level"]) == ("T5", "L4")
    assert (found["cobb_side"], found["cobb_side_status"]) == ("right", "ok")
    assert found["cobb_apex_level"] == "T10-T11"  # the disc half-way
    assert found["cobb_second_angle_deg"] is None and found["cobb_second_status"] == "not_in_view"
    mirrored = cobb_columns(spine(np.linspace(15, -15, 12)), FRAME)
    assert (mirrored["cobb_side"], mirrored["cobb_apex_level"]) == ("left", "T10-T11")


def test_a_double_curve_shares_its_end_vertebra():
    """From 0 to the right by 20 at T9, then to the left by 16 at L4: 36 degrees below, 20 above, convex to
    either side."""
    leans = [0, 5, 10, 15, 20, 14, 8, 2, -4, -8, -12, -16]
    found = cobb_columns(spine(leans), FRAME)
    assert found["cobb_angle_deg"] == pytest.approx(36)
    assert (found["cobb_upper_level"], found["cobb_lower_level"]) == ("T9", "L4")
    assert found["cobb_side"] == "left"
    assert found["cobb_second_angle_deg"] == pytest.approx(20)
    assert found["cobb_second_upper_level"] == "T5" and found["cobb_second_lower_level"] == "T9"
    assert found["cobb_second_status"] == "ok"


def test_a_straight_spine_has_no_side():
    found = cobb_columns(spine(np.linspace(-2, 2, 12)), FRAME)
    assert found["cobb_angle_deg"] == pytest.approx(4) and found["cobb_status"] == "ok"
    assert found["cobb_side"] is found["cobb_apex_level"] is None
    assert found["cobb_side_status"] == "no_curve"


def test_three_bodies_are_too_few():
    few = dict(list(spine(np.linspace(-9, 9, 12)).items())[:6])
    for columns in (cobb_columns(few, FRAME), cobb_columns(few, None)):
        assert {v for k, v in columns.items() if k.endswith("status")} == {"not_in_view"}
        assert columns["cobb_angle_deg"] is columns["cobb_side"] is None
