"""Curved sagittal views, overlays and the contact sheet's layout, on arrays small enough to check."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wirbel.core.geometry import Volume, reorient
from wirbel.core.labels import (
    BODY_BORDER,
    CANAL,
    LEVELS_TOP_DOWN,
    SACRUM,
    SPINOUS_PROCESS,
    SUBREGION_NAMES,
)
from wirbel.core.pictures.colours import mixed, rgb, subregion_colours, vertebra_colours
from wirbel.core.pictures.contact_sheet import (
    PADDING,
    SHEET_WIDTH,
    Entry,
    Failure,
    draw_entry,
    draw_sheet,
    pixel_size_mm,
)
from wirbel.core.pictures.sagittal_views import (
    View,
    curved_image,
    curved_labels,
    level_marks,
    overlay,
    rims,
    sagittal_view,
    spine_midline,
    to_grey,
    view_size_mm,
)

PIR = np.array([[0, 0, 3.0, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])


def leaning_spine(axes=("P", "I", "R")) -> tuple[Volume, Volume, Volume]:
    """A canal that wanders from slice 2 to slice 8, a bright thread in it, and L1 halfway down."""
    image = np.zeros((60, 120, 11), np.float32)
    subregion = np.zeros(image.shape, np.uint8)
    vertebra = np.zeros(image.shape, np.uint8)
    for row in range(120):
        slice_ = round(2 + 6 * row / 119)
        subregion[30:40, row, slice_ - 1 : slice_ + 2] = CANAL
        image[34:36, row, slice_] = 100
    subregion[10:28, 50:80, 3:8] = BODY_BORDER
    vertebra[10:28, 50:80, 3:8] = 20
    return tuple(reorient(Volume(a, PIR), axes) for a in (image, subregion, vertebra))


def test_the_midline_follows_the_canal_to_the_side():
    _, subregion, _ = leaning_spine()
    line = spine_midline(subregion.data, np.array([1.0, 1.0, 3.0]))
    assert line.shape == (120,)
    np.testing.assert_allclose(line[30:90], (2 + 6 * np.arange(120) / 119)[30:90], atol=0.3)


def test_without_a_canal_the_bodies_lead_and_without_a_spine_the_middle_slice():
    labels = np.zeros((20, 60, 9), np.uint8)
    assert (spine_midline(labels, np.ones(3)) == 4).all()
    labels[5:9, 10:40, 6] = BODY_BORDER
    assert spine_midline(labels, np.ones(3)) == pytest.approx(6)


def test_a_curved_picture_interpolates_between_slices_and_labels_take_the_nearest():
    data = np.array([[[0.0, 10.0, 20.0]]])  # one voxel to the back, one row, three slices
    assert curved_image(data, np.array([0.25])) == pytest.approx(2.5)
    assert curved_image(data, np.array([2.0])) == pytest.approx(20)
    assert curved_labels(data, np.array([0.6])) == 10


def test_the_whole_thread_is_seen_in_one_view():
    view = sagittal_view(*leaning_spine(), pixel_mm=1.0)
    assert view.image.shape[0] == 120
    assert (view.image.max(axis=1) > 60).mean() > 0.95


@pytest.mark.parametrize("axes", [("L", "A", "S"), ("S", "P", "R")], ids="".join)
def test_the_view_does_not_depend_on_the_storage_order(axes):
    view, other = (sagittal_view(*leaning_spine(a), pixel_mm=0.8) for a in (("P", "I", "R"), axes))
    np.testing.assert_array_equal(view.vertebra, other.vertebra)
    np.testing.assert_allclose(view.image, other.image, atol=1)


def test_pixels_are_square_millimetres():
    view = sagittal_view(*leaning_spine(), pixel_mm=0.5)
    rows, columns = np.nonzero(view.vertebra == 20)  # 18 mm deep and 30 mm high
    assert np.ptp(columns) + 1 == pytest.approx(36, abs=1)
    assert np.ptp(rows) + 1 == pytest.approx(60, abs=1)


def test_grey_values_span_the_window():
    grey = to_grey(np.linspace(0, 1000, 10_000).reshape(100, 100))
    assert (grey.min(), grey.max()) == (0, 255)
    assert not to_grey(np.full((5, 5), 3.0)).any()


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_grey_values_do_not_depend_on_the_unit_of_intensities(scale):
    ramp = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    np.testing.assert_allclose(to_grey(ramp * np.float32(scale)), to_grey(ramp), atol=1)


def test_rims_are_where_labels_end_or_meet():
    labels = np.zeros((5, 8), int)
    labels[1:4, 1:4] = 1
    labels[1:4, 4:7] = 2
    drawn = ["".join(".#"[int(rim)] for rim in row) for row in rims(labels)]
    assert drawn == ["........", ".######.", ".#.##.#.", ".######.", "........"]


def test_the_background_of_an_overlay_is_the_picture_itself():
    grey = np.full((6, 6), 80, np.uint8)
    labels = np.zeros((6, 6), int)
    labels[1:5, 1:5] = 49
    picture = overlay(grey, labels, {49: (0, 0, 255)})
    assert tuple(picture[0, 0]) == (80, 80, 80)
    assert picture[1, 1, 2] > picture[2, 2, 2] > 80, "the rim is stronger than the inside"
    assert picture[2, 2, 0] > 0, "the picture is still seen inside"


def test_a_level_is_marked_at_its_body_not_at_its_spinous_process():
    subregion = np.zeros((40, 10), np.uint8)
    vertebra = np.zeros_like(subregion)
    subregion[5:10, 0:4], subregion[20:30, 6:9] = BODY_BORDER, SPINOUS_PROCESS
    vertebra[subregion > 0] = 15
    subregion[32:38, :4] = vertebra[32:38, :4] = SACRUM
    view = View(np.zeros((40, 10), np.uint8), subregion, vertebra, 1.0)
    assert level_marks(view) == [(15, "T8", 7.0), (SACRUM, "S1", 34.5)]


def test_every_label_has_a_colour_and_neighbours_differ():
    assert set(subregion_colours()) == set(SUBREGION_NAMES)
    assert len(set(subregion_colours().values())) == len(SUBREGION_NAMES)
    colours = vertebra_colours()
    for above, below in zip(LEVELS_TOP_DOWN, LEVELS_TOP_DOWN[1:], strict=False):
        assert abs(lightness(colours[above]) - lightness(colours[below])) > 0.06
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"


def lightness(colour: str) -> float:
    """Relative luminance without gamma, which is what remains for a colour-blind eye."""
    red, green, blue = rgb(colour)
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def entry(name: str = "sub-01") -> Entry:
    return Entry(name, sagittal_view(*leaning_spine(), pixel_mm=0.5), "1 vertebra, L1")


def test_a_cell_holds_three_panels_and_the_names():
    one = entry()
    cell = np.asarray(draw_entry(one))
    height, width = one.view.image.shape
    assert cell.shape[0] > height
    assert cell.shape[1] > 3 * width


@pytest.mark.parametrize(
    ("height_mm", "width_mm", "pixel_mm"),
    [
        (900, 220, 900 / 560),  # a whole spine: as high as the panel
        (300, 230, 230 / 359),  # the lower back: as wide as the panel
        (78, 60, 0.3),  # not enlarged beyond that
    ],
)
def test_tall_wide_and_small_fields_of_view_fit(height_mm, width_mm, pixel_mm):
    assert pixel_size_mm(height_mm, width_mm) == pytest.approx(pixel_mm)


@pytest.mark.parametrize(
    ("height_mm", "width_mm", "in_a_row"),
    [(560, 220, 3), (700, 270, 3), (300, 235, 2), (260, 260, 2), (240, 150, 2)],
)
def test_rows_are_filled_by_scans_of_every_shape(height_mm, width_mm, in_a_row):
    """Whole spines three in a row, lower backs two; at least 85 % of the sheet.s width holds scans."""
    mm = pixel_size_mm(height_mm, width_mm)
    empty = np.zeros((round(height_mm / mm), round(width_mm / mm)), np.uint8)
    entries = [Entry(f"sub-{n}", View(empty, empty, empty, mm), "") for n in range(6)]
    cell = draw_entry(entries[0])
    sheet = draw_sheet("", "", entries, [])
    assert sheet.width == PADDING + in_a_row * (cell.width + PADDING)
    assert in_a_row * cell.width > 0.85 * SHEET_WIDTH
    assert sheet.height < (6 // in_a_row) * (cell.height + PADDING) + 130


def test_the_size_of_a_view_is_known_before_it_is_made():
    image, subregion, vertebra = leaning_spine(("S", "R", "P"))
    height_mm, width_mm = view_size_mm(subregion)
    view = sagittal_view(image, subregion, vertebra, 0.5)
    assert view.image.shape == (height_mm / 0.5, width_mm / 0.5)
    empty = subregion.with_data(np.zeros_like(subregion.data))
    assert view_size_mm(empty) == (120, 60), "without a spine the whole image is shown"


def test_the_sheet_is_the_same_every_time_and_grows_with_failures():
    failure = Failure("sub-02", "not_sagittal", "sub-02_T2w.nii.gz: expected sagittal slices")
    bare = draw_sheet("Title", "subtitle", [entry()], [])
    first, second = (draw_sheet("Title", "subtitle", [entry()], [failure], 3) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.height > bare.height


def test_the_legend_of_a_narrow_sheet_takes_more_lines_instead_of_leaving_it():
    view = entry().view
    every = np.zeros_like(view.subregion)
    every.flat[: len(SUBREGION_NAMES)] = list(SUBREGION_NAMES)
    sheet = np.asarray(draw_sheet("", "", [Entry("a", replace(view, subregion=every), "")], []))
    assert (sheet[:, -10:] == sheet[0, 0]).all(), "no word reaches the right border"


def test_a_sheet_without_any_scan_still_says_so():
    sheet = draw_sheet("Title", "0 of 0 segmented scans shown; 0 failed", [], [])
    assert sheet.width >= 1000
