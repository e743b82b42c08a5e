"""Corner heights lie on the endplates, whatever the rounded edges beside them do."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.solid_spine import rotation

from wirbel.core.geometry import Volume
from wirbel.core.measures.fractures.grades import fracture_columns
from wirbel.core.measures.frames import make_frame, region_of_mask
from wirbel.core.measures.shape.rims import corner_height_mm
from wirbel.core.measures.shape.surfaces import Block, find_block

DEPTH, WIDTH, HEIGHT, SAG = 30.0, 42.0, 25.0, 4.0
SPACING = np.array([3.3, 0.86, 0.86])


def rounded_body(pose, shift, lost=0.0):
    """Return a body with hollow endplates whose edges have a radius of 1.3 mm; its front corner may be lower."""
    shape = (18, 56, 48)
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * SPACING + shift
    world = np.indices(shape).reshape(3, -1).T @ affine[:3, :3].T + affine[:3, 3]
    r, a, s = (world @ pose).T
    u, v = 2 * r / WIDTH, 2 * a / DEPTH
    wall = (np.abs(u) ** 2.5 + np.abs(v) ** 2.5) ** (1 / 2.5) * DEPTH / 2 - DEPTH / 2
    corner = lost * np.clip((v - 0.4) / 0.6, 0, 1)
    end = np.abs(s) - (HEIGHT - SAG * np.clip(1 - u**2 - v**2, 0, 1) - corner) / 2
    edge = sum(np.clip(value / 1.3 + 1, 0, None) ** 2 for value in (wall, end))
    inside = ((wall < 0) & (end < 0) & (edge < 1)).reshape(shape)
    volume = Volume(inside.astype(np.uint8), affine)
    return region_of_mask(inside, tuple(slice(0, n) for n in shape), volume)


@pytest.mark.parametrize("lost", [0.0, 6.0])
def test_corner_heights_are_right_on_average(lost):
    rng, errors = np.random.default_rng(3), []
    for _ in range(12):
        pose = rotation(rng.uniform(-20, 20), rng.uniform(-5, 5), rng.uniform(-5, 5))
        region = rounded_body(pose, rng.uniform(-0.5, 0.5, 3) * SPACING, lost)
        block = find_block(region, pose[:, 2], -40 * pose[:, 1])
        at_rim = HEIGHT - SAG * (1 - 0.94**2)
        errors.append(
            [
                corner_height_mm(block, -1) - at_rim,
                corner_height_mm(block, 1) - (at_rim - lost * 0.9),
            ]
        )
    assert np.abs(np.mean(errors, axis=0)).max() < (0.15 if lost == 0 else 0.5)
    assert np.abs(errors).max() < 1.2


def test_a_collapsed_corner_has_a_height_of_nothing_not_less():
    """The endplates of a wedge meet 3 mm behind its front wall: what lines lead on to lies crossed."""
    right, front = (v.ravel() for v in np.mgrid[-9:10:3.0, -15:12.1:0.9])
    half = 6 - 0.22 * (front + 15)
    upper, lower = (np.column_stack([right, front, side * half]) for side in (1, -1))
    frame = make_frame(np.zeros(3), np.array([0, 0, 1.0]), np.array([0, -40.0, 0]))
    block = Block(frame, upper, lower, -15.0, 15.0, 40.0, 6.0, 0.86)
    assert corner_height_mm(block, 1) == 0
    assert corner_height_mm(block, -1) == pytest.approx(11.6, abs=0.1)
    assert block.height_at(0.93) == 0


def test_grades_of_a_vertebra_whose_back_corner_has_collapsed():
    rows = [
        {"label": label, "height_status": "ok"}
        | {f"height_{name}_mm": 20.0 for name in ("anterior", "middle", "posterior")}
        | {f"corner_height_{name}_mm": 21.0 for name in ("anterior", "posterior")}
        for label in (14, 15, 16)
    ]
    rows[1] |= {"height_posterior_mm": 0.0, "corner_height_posterior_mm": 0.0}
    found = fracture_columns(rows)[1]
    assert found["genant_grade"] == 3 and found["genant_type"] == "crush"
    assert np.isfinite(found["wedge_ratio"])
