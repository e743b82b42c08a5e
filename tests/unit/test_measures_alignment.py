"""Angles of a spine whose endplates stand at known angles, however the person lies in the scanner."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spines.solid_spine import rotation

from wirbel.core.geometry import Volume
from wirbel.core.labels import BODY, DISC_OFFSET, LEVEL_LABELS, SACRUM
from wirbel.core.measures import measure
from wirbel.core.measures.curvature.alignment import alignment_columns
from wirbel.core.measures.frames import Frame
from wirbel.core.measures.shape.endplates import Endplate

LEVELS = ["C2", *(f"C{k}" for k in range(3, 8)), *(f"T{k}" for k in range(1, 13))]
LEVELS += [f"L{k}" for k in range(1, 6)]


def plate(pitch_deg, lean_deg, pose):
    """An endplate tilted forward and to the right."""
    p, t = np.deg2rad([pitch_deg, lean_deg])
    normal = np.array([np.sin(t) * np.cos(p), np.sin(p), np.cos(t) * np.cos(p)])
    return Endplate(pose @ normal, pose @ [0.0, -15, 0], pose @ [0.0, 15, 0])


UPRIGHT = rotation(0, 0, 0)


def spine(pitch, lean, pose=UPRIGHT):
    """Solids whose endplates tilt by `pitch` and `lean` of their level; the disc's faces likewise."""
    solids = {}
    for k, level in enumerate(LEVELS):
        frame = Frame(pose @ [0.0, 0, -30.0 * k], np.eye(3) @ pose.T)
        tilt = plate(pitch.get(level, 0), lean.get(level, 0), pose)
        disc = plate(pitch.get(level + "-", pitch.get(level, 0)), 0, pose)
        label = LEVEL_LABELS[level]
        both = (lambda side, tilt=tilt: tilt), (lambda side, disc=disc: disc)
        body = SimpleNamespace(centroid_mm=frame.origin_mm)
        block = SimpleNamespace(frame=frame)
        solids[label] = SimpleNamespace(block=block, endplate=both[0], region=body)
        solids[DISC_OFFSET + label] = SimpleNamespace(block=None, endplate=both[1], region=None)
    return dict(sorted(solids.items(), key=lambda item: item[0] >= DISC_OFFSET))


POSES = st.tuples(st.floats(-60, 60), st.floats(-60, 60), st.floats(-170, 170))


@settings(max_examples=10, deadline=None)
@given(POSES)
def test_curves_are_the_differences_between_the_tilts(pose):
    pitch = {"C2": -5, "C7": 12, "T4": 18, "T12": -14, "L1": -12, "L5": 20, "L5-": 33}
    columns = alignment_columns(spine(pitch, {}, rotation(*pose)), None)
    assert columns["cervical_lordosis_deg"] == pytest.approx(12 + 5, abs=1e-6)
    assert columns["thoracic_kyphosis_deg"] == pytest.approx(18 + 14, abs=1e-6)
    assert columns["lumbar_lordosis_deg"] == pytest.approx(20 + 12, abs=1e-6)
    assert columns["lumbar_lordosis_s1_deg"] == pytest.approx(33 + 12, abs=1e-6)
    assert columns["cobb_angle_deg"] == pytest.approx(0, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(POSES)
def test_the_largest_coronal_curve_has_its_end_vertebrae(pose):
    lean = {"T5": 10, "T11": -14, "L3": 6}
    columns = alignment_columns(spine({}, lean, rotation(*pose)), None)
    assert columns["cobb_angle_deg"] == pytest.approx(24, abs=1e-6)
    assert (columns["cobb_upper_level"], columns["cobb_lower_level"]) == ("T5", "T11")


def test_a_coronal_curve_has_two_different_end_vertebrae():
    """The largest angle within one vertebra (30 degrees) is no curve; the largest between two is 20."""
    solids = spine({}, {"T8": 20})
    upper, lower = (plate(0, lean, rotation(0, 0, 0)) for lean in (20, -10))
    solids[LEVEL_LABELS["T8"]] = SimpleNamespace(
        **vars(solids[LEVEL_LABELS["T8"]]) | {"endplate": {1: upper, -1: lower}.get}
    )
    columns = alignment_columns(solids, None)
    assert columns["cobb_upper_level"] == "T8" != columns["cobb_lower_level"]
    assert columns["cobb_angle_deg"] == pytest.approx(20, abs=1e-6)


def test_a_level_out_of_view_takes_its_curve_along():
    solids = {k: s for k, s in spine({}, {}).items() if k % DISC_OFFSET > LEVEL_LABELS["T6"]}
    columns = alignment_columns(solids, None)
    assert columns["thoracic_kyphosis_deg"] is None
    assert columns["thoracic_kyphosis_status"] == "not_in_view"
    assert columns["lumbar_lordosis_status"] == "ok"
    assert columns["spine_length_status"] == "not_in_view"


@pytest.mark.parametrize(
    ("present", "number", "kind"),
    [
        ([*range(2, 26 - 1), SACRUM], 24, "C7 T12 L5"),
        ([*range(2, 20), 20, 21, 22, 23, SACRUM], 23, "C7 T12 L4"),
        ([*range(2, 20), 28, *range(20, 25), SACRUM], 25, "C7 T13 L5"),
        ([*range(2, 25)], None, None),  # no sacrum in view
        ([*range(8, 25), SACRUM], None, None),  # no C2 in view
        ([*range(2, 9), SACRUM], None, None),  # a lumbar scan whose vertebrae are merely counted
    ],
)
def test_vertebrae_are_counted_where_both_ends_are_in_view(present, number, kind):
    vertebra = np.zeros((3, 3, 2 * len(present)), np.uint8)
    for k, label in enumerate(present):
        vertebra[1, 1, -1 - 2 * k] = label
    volume = Volume(vertebra, np.diag([3.0, 3, 3, 1]))
    scan = measure(
        None, volume.with_data(np.where(vertebra > 0, BODY, 0).astype(np.uint8)), volume
    ).scan
    assert (scan["presacral_vertebrae"], scan["enumeration_type"]) == (number, kind)
    why = "vertebra_missing" if present == [*range(2, 9), SACRUM] else "not_in_view"
    assert scan["enumeration_status"] == ("ok" if number else why)
