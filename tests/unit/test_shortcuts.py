"""What is computed only where it can matter is the same as if it were computed everywhere."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from wirbel.core.geometry import Volume
from wirbel.core.growth import surface, surface_voxels
from wirbel.core.measures.curvature.outline import Outline
from wirbel.core.measures.fitting import robust_fit
from wirbel.core.measures.frames import Frame, region_of_mask, voxels_between
from wirbel.phantom.person.anatomy import sample_anatomy
from wirbel.phantom.person.discs import disc_frame
from wirbel.phantom.person.shapes import Body, rod

RANDOM = np.random.default_rng(4)
TURN = np.linalg.qr(RANDOM.normal(size=(3, 3)))[0]


def test_trials_computed_together_lead_to_the_same_bits():
    x = np.linspace(0, 3, 50)
    seen = 2.5 * np.exp(-1.3 * x) + 0.05 * RANDOM.normal(size=50)

    def misfits(trials):
        size, speed = trials.T[..., None]
        return size * np.exp(-speed * x) - seen

    bounds = [0.0, 0.0], [10.0, 2.0]
    alone = least_squares(
        lambda trial: misfits(trial[None])[0],
        [1.0, 1.0],
        bounds=bounds,
        loss="soft_l1",
        f_scale=0.1,
    )
    np.testing.assert_array_equal(robust_fit(misfits, [1.0, 1.0], bounds, 0.1), alone.x)


def test_an_outline_holds_the_points_of_radius_below_one():
    outline = Outline(40, 30, 1, 2, 2.6, 0.2, 0.1, -0.1, 0.1, -0.05, 2.0)
    points = RANDOM.uniform((-30, -25, -1), (30, 25, 1), (4000, 3))
    inside = outline.radius(points) < 1
    np.testing.assert_array_equal(outline.holds(points), inside)
    low, high = outline.limits_mm
    assert (points[inside, :2] > low).all() and (points[inside, :2] < high).all()
    assert 0.2 < inside.mean() < 0.8


@pytest.mark.parametrize("beyond", [0, 2])
def test_no_voxel_between_two_corners_is_missing(beyond):
    affine = np.eye(4)
    affine[:3] = np.column_stack([TURN * (3.0, 0.8, 0.8), (5, -4, 2)])
    volume = Volume(np.ones((6, 20, 18), np.uint8), affine)
    region = region_of_mask(volume.data > 0, tuple(slice(0, n) for n in volume.data.shape), volume)
    frame = Frame(region.centroid_mm, TURN[::-1])
    low, high = (-4.0, -np.inf, -2.0), (5.0, np.inf, 3.0)
    every = np.indices([n + 2 * beyond for n in volume.data.shape]).reshape(3, -1).T - beyond
    local = frame.to_local(volume.grid.to_world(every))
    np.testing.assert_array_equal(
        voxels_between(region, frame, low, high, beyond),
        every[((local > low) & (local < high)).all(1)],
    )


def test_ends_and_normals_are_those_towards_the_direction_asked_for():
    mask = np.zeros((9, 9, 9), bool)
    mask[2:7, 3:6, 2:7] = True
    region = region_of_mask(mask, (slice(0, 9),) * 3, Volume(mask, np.eye(4)))
    up = np.array([0.0, 0.1, 1.0])
    for direction in (up, -up, up):
        ends, normals = region.ends(direction), region.end_normals(direction)
        assert ((ends[0] - ends[1]) @ direction > 0).all()
        for points, found in zip(ends, normals, strict=True):
            np.testing.assert_array_equal(found, region.outward_normals(points))


def test_surface_voxels_are_those_of_the_surface():
    numbers = np.zeros((8, 9, 10), np.uint8)
    numbers[2:7, 1:8, 3:], numbers[4, 4, 5] = 1, 2
    np.testing.assert_array_equal(surface_voxels(numbers), np.argwhere(surface(numbers)))
    assert len(surface_voxels(np.zeros_like(numbers))) == 0


def points_about(half_mm):
    return tuple(RANDOM.uniform(-1, 1, (3, 40, 10, 10)) * half_mm)


def test_a_blob_is_infinitely_far_only_where_it_is_not():
    blob = rod((0, 0, 0), (3, -25, 4), (3.0, 5.0))
    place = points_about(30)
    along = np.einsum(
        "ij,i...->j...", blob.axes, np.stack(place) - blob.centre[:, None, None, None]
    )
    radius = (np.abs(along / blob.half_mm[:, None, None, None]) ** blob.exponent).sum(0)
    value = blob.signed_mm(place)
    np.testing.assert_array_equal(value < 0, radius < 1)
    assert (value < 0).any() and np.isfinite(value[value < 0]).all()


@pytest.mark.parametrize("outside_mm", [0.0, 2.0])
def test_a_body_is_infinitely_far_only_beyond_its_limits(outside_mm):
    body = Body(30, 40, 25, 28, (1.0, 2.0), 0.5, 0.1, 0.1, 2.4)
    place = points_about(25)
    found, every = body.signed_mm(place, outside_mm, 20.0), body._signed(*place)
    near = (every[0] < outside_mm) & (np.abs(place[2]) < 20)
    for value, full in zip(found, every, strict=True):
        np.testing.assert_array_equal(value[near], full[near])
    inside = (every[0] < 0) & (every[1] < 0)
    assert inside.any()
    np.testing.assert_array_equal((found[0] < 0) & (found[1] < 0), inside)


@pytest.mark.parametrize("k", [0, 12, -1])
def test_a_disc_is_infinitely_far_only_outside_of_it(k):
    anatomy = sample_anatomy(np.random.default_rng(3))
    gap = disc_frame(anatomy, k % len(anatomy.discs))
    place = points_about(30)

    class Canvas:
        def local(self, *_):
            return place

    radius, between = gap.signed_mm(Canvas(), None, 1.2)
    full = gap.outline.radius(place[0], place[1]), gap.between_mm(place)
    inside = (full[0] < 1.2) & (full[1] < 0)
    np.testing.assert_array_equal((radius < 1.2) & (between < 0), inside)
    np.testing.assert_array_equal(radius[inside], full[0][inside])
    np.testing.assert_array_equal(between[inside], full[1][inside])
