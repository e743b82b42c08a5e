"""Views of a scan: a drawn spine shows where it was put, however the file stores its axes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.spines.solid_spine import SolidSpine, render

from wirbel.core import labels as L
from wirbel.core.geometry import reorient
from wirbel.core.pictures.panels.course import find_course
from wirbel.core.pictures.panels.paint import THUMB_HEIGHT, THUMB_WIDTH, layer, thumbnail
from wirbel.core.pictures.panels.small import MOST_VOXELS, small_volumes
from wirbel.core.pictures.panels.views import axial_views, coronal_views, mosaic, sagittal_views
from wirbel.io.embedded import nifti_text, webp_bytes
from wirbel.report.panels import is_odd, panel

MARK = 200.0
"""Brightness of a spot on the person's right."""


def spine():
    """Image and maps of two vertebrae; a bright spot 30 mm to the right of the upper body's middle."""
    subregion, vertebra = render(SolidSpine())
    image = subregion.with_data(np.where(subregion.data > 0, 60.0, 10.0).astype(np.float32))
    at = np.rint(image.grid.to_index(np.array([[30.0, 0.0, 0.0]]))[0]).astype(int)
    image.data[tuple(slice(i - 1, i + 2) for i in at)] = MARK
    return image, subregion, vertebra


def middle_of(course, view, point_mm):
    """The pixel (x, y) of a world point."""
    return np.rint(view.place(course.index(np.array([point_mm])))[0]).astype(int)


def test_the_middle_of_a_body_is_body_in_every_view_and_the_canal_lies_to_the_right():
    course = find_course(*spine())
    sagittal = sagittal_views(course)[1]
    x, y = middle_of(course, sagittal, [0.0, 0.0, 0.0])
    assert sagittal.subregion[y, x] == L.BODY_BORDER and sagittal.vertebra[y, x] == 22
    x, y = middle_of(course, sagittal, [0.0, -25.5, 0.0])  # behind the body
    assert sagittal.subregion[y, x] == L.CORD
    coronal = coronal_views(course)[0]
    x, y = middle_of(course, coronal, [0.0, 0.0, 0.0])
    assert coronal.vertebra[y, x] == 22


def test_the_persons_right_is_on_the_left_of_coronal_and_axial_views():
    course = find_course(*spine())
    coronal = coronal_views(course)[0]
    x, y = middle_of(course, coronal, [30.0, 0.0, 0.0])
    assert x < coronal.image.shape[1] / 2 and coronal.image[y, x] == 255
    axial = axial_views(course)[0].image
    bright = np.argwhere(axial == axial.max())[:, 1]
    assert bright.mean() < axial.shape[1] / 2


@pytest.mark.parametrize("axes", [("L", "A", "S"), ("S", "R", "P"), ("I", "P", "L")])
def test_the_order_in_which_axes_are_stored_changes_nothing(axes):
    plain = find_course(*spine())
    turned = find_course(*(reorient(volume, axes) for volume in spine()))
    for one, other in zip(sagittal_views(plain), sagittal_views(turned), strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.vertebra, other.vertebra)


@pytest.mark.parametrize(("slices", "sideways"), [(27, 14), (7, 10)])
def test_side_views_of_narrow_slabs_lie_within_their_slices(slices, sideways):
    """Slices are 3.3 mm apart; from the middle of 7 to the outermost it is 9.9 mm."""
    first = (27 - slices) // 2
    course = find_course(*(v.with_data(v.data[first : first + slices]) for v in spine()))
    left, middle, right = sagittal_views(course)
    assert middle.title == "Through the middle"
    for view, side in ((left, "left"), (right, "right")):
        assert view.title == f"{sideways} mm to the {side}"
        assert L.BODY_BORDER in view.subregion  # not a black picture from beyond the slices


def test_axial_views_stand_from_the_top_down_and_make_one_sheet():
    views = axial_views(find_course(*spine()))
    assert [view.title for view in views] == ["L3", "L4"]
    assert all(22 + i in view.vertebra for i, view in enumerate(views))
    height, width = views[0].image.shape
    assert mosaic(views).image.shape == (height, 2 * width)


def test_a_scan_without_maps_is_drawn_all_the_same():
    image, *_ = spine()
    content, thumb = panel("sub-1", image, None, {}, {})
    assert content["axial"] is None and len(content["views"]) == 5
    assert thumb.size == (THUMB_WIDTH, THUMB_HEIGHT) and "volumes" not in content


def test_lines_and_names_of_the_panel_lie_on_the_picture():
    scan = {"flags": "gap", "level_confidence": 0.9}
    lines = [["height", "L3", 0, 0, -13, 0, 0, 13], ["cobb", "L3", -30, 0, 13, 30, 0, 13]]
    content, _ = panel("sub-1", *spine()[:1], spine()[1:], {"scan": scan, "landmarks": lines}, {})
    sagittal, coronal = content["views"][1], content["views"][3]
    assert [mark[0] for mark in sagittal["marks"]] == ["L3", "L4"]
    (kind, level, x1, y1, x2, y2), *others = sagittal["lines"]
    assert (kind, level, others) == ("height", "L3", []) and x1 == pytest.approx(x2, abs=0.5)
    assert abs(y1 - y2) * 0.5 == pytest.approx(26, abs=0.6)  # half a millimetre a pixel
    assert [line[0] for line in coronal["lines"]] == ["cobb"]
    assert "volumes" in content  # flagged


def test_what_is_odd_by_itself():
    assert not is_odd(
        {"flags": "", "level_flags": "", "level_confidence": 0.95, "levels_agree": None}
    )
    assert is_odd({"flags": "canal_broken"}) and is_odd({"level_confidence": 0.4})
    assert is_odd({"levels_agree": False}) and not is_odd({})


def test_the_same_scan_gives_the_same_bytes():
    course = find_course(*spine())
    first, second = (webp_bytes(thumbnail(sagittal_views(course)[1])) for _ in range(2))
    assert first == second
    texts = [nifti_text(small_volumes(course)[0]) for _ in range(2)]
    assert texts[0] == texts[1]
    panels = [json.dumps(panel("a", *spine()[:1], spine()[1:], {}, {})[0]) for _ in range(2)]
    assert panels[0] == panels[1]


def test_embedded_volumes_stay_small_and_in_their_place():
    subregion, vertebra = render(SolidSpine(), spacing_mm=(1.0, 0.4, 0.4))
    image = subregion.with_data(subregion.data.astype(np.float32))
    small = small_volumes(find_course(image, subregion, vertebra))
    assert all(np.prod(volume.data.shape) <= 1.05 * MOST_VOXELS for volume in small)
    centres = [
        v.grid.to_world(np.argwhere(v.data == L.CANAL)).mean(0) for v in (small[1], subregion)
    ]
    assert centres[0] == pytest.approx(centres[1], abs=0.5)


def test_a_layer_is_clear_where_nothing_is():
    labels = np.zeros((5, 5), np.uint8)
    labels[1:4, 1:4] = 50
    picture = layer(labels, {50: "#0072b2"}).convert("RGBA")
    assert picture.getpixel((0, 0))[3] == 0
    assert picture.getpixel((2, 2))[:3] == (0, 114, 178)
    assert picture.getpixel((1, 1))[3] > picture.getpixel((2, 2))[3] > 0  # the rim is stronger
