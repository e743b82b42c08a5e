"""The look at the whole result: every flag on a spine of boxes that shows just this fault, and none on a sound one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support.spines.spine_boxes import BoxSpine, box_spine

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.plausibility.level_sizes import BODY_VOLUME_MM3
from wirbel.core.plausibility.scan_flags import SCAN_FLAGS
from wirbel.core.plausibility.whole.chain import CANAL_POINTS, _thinned
from wirbel.core.plausibility.whole.check import ImplausibleResult, check_whole_result

PAGE = Path(__file__).parents[2] / "docs" / "outputs.md"
T11, L1, L2, L3, L4, L5 = 18, 20, 21, 22, 23, 24
WHOLE, LUMBAR, NECK = range(2, 25), range(T11, 25), range(2, 12)


def flags(spine: BoxSpine, subregion=None, vertebra=None, turn=None, rows=()) -> list[str]:
    """Check a spine, with other maps, or with a header that turns the world."""
    maps = [spine.labels.data if subregion is None else subregion]
    maps.append(spine.vertebra if vertebra is None else vertebra)
    affine = spine.labels.affine if turn is None else turn @ spine.labels.affine
    return check_whole_result(*(Volume(data, affine) for data in maps), rows)


def without(spine: BoxSpine, gone: np.ndarray) -> list[str]:
    """Check a spine of which some voxels are missing."""
    return flags(spine, np.where(gone, 0, spine.labels.data), np.where(gone, 0, spine.vertebra))


def body_of(spine: BoxSpine, label: int) -> np.ndarray:
    return np.isin(spine.labels.data, L.BODY_LABELS) & (spine.vertebra == label)


def turned(degrees: float, first: int, second: int) -> np.ndarray:
    """A header that turns the world from one axis towards another."""
    turn, c, s = np.eye(4), np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turn[[first, second], [first, second]] = c
    turn[first, second], turn[second, first] = -s, s
    return turn


@pytest.fixture(scope="module")
def lumbar():
    return box_spine(LUMBAR)


@pytest.fixture(scope="module")
def whole():
    return box_spine(WHOLE)


@pytest.mark.parametrize("numbers", [WHOLE, LUMBAR, NECK, range(9, 16), (L3,), (L3, L4)])
@pytest.mark.parametrize("sacrum", [True, False])
def test_a_sound_spine_has_no_flag(numbers, sacrum):
    assert flags(box_spine(numbers, sacrum=sacrum and numbers[-1] >= L4)) == []


def test_nothing_found_is_another_stages_fault():
    empty = Volume(np.zeros((4, 5, 6), np.uint8), np.eye(4))
    assert check_whole_result(empty, empty) == []


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_how_the_file_stores_its_axes_does_not_matter(lumbar, axes):
    affine = lumbar.labels.affine.copy()
    affine[:3, :3] = affine[:3, axes]
    maps = [np.transpose(data, axes) for data in (lumbar.labels.data, lumbar.vertebra)]
    assert check_whole_result(*(Volume(data, affine) for data in maps)) == []


def test_one_disc_may_be_missing_two_may_not(lumbar):
    one = lumbar.vertebra == L.DISC_OFFSET + L2
    assert without(lumbar, one) == []
    assert without(lumbar, one | (lumbar.vertebra == L.DISC_OFFSET + L3)) == ["discs_missing"]


def test_a_body_is_missing_but_its_arch_is_there(lumbar):
    assert "bodies_missing" in without(lumbar, body_of(lumbar, L2))


def test_more_discs_than_bodies(lumbar):
    gone = np.isin(lumbar.vertebra, (T11, T11 + 1, L1))  # with their arches
    assert "bodies_missing" in without(lumbar, gone)


def test_a_laminectomy_is_no_fault_but_many_missing_arches_are(lumbar):
    arch = np.isin(lumbar.labels.data, L.POSTERIOR_ELEMENTS)
    assert without(lumbar, arch & (lumbar.vertebra == L4)) == []
    assert without(lumbar, arch & np.isin(lumbar.vertebra, (L2, L3, L4))) == ["arches_missing"]


def test_specks_behind_bodies_are_no_arches(lumbar):
    """Of each arch 10 voxels, 0.03 ml, are left."""
    arch = np.isin(lumbar.labels.data, L.POSTERIOR_ELEMENTS)
    for label in LUMBAR:
        first = np.argwhere(arch & (lumbar.vertebra == label))[:10]
        arch[tuple(first.T)] = False
    assert without(lumbar, arch) == ["arches_missing"]


def test_arches_out_of_view_are_not_missing(lumbar):
    """The scan ends right behind the canal."""
    behind = np.argwhere(lumbar.labels.data == L.CANAL)[:, 0].max() + 2
    maps = [data[:behind] for data in (lumbar.labels.data, lumbar.vertebra)]
    maps = [np.where(np.isin(maps[0], L.POSTERIOR_ELEMENTS), 0, data) for data in maps]
    assert "arches_missing" not in flags(lumbar, *maps)


def test_arches_of_which_none_has_a_spinous_process(lumbar):
    """What networks draw where front and back are exchanged."""
    spinous = lumbar.labels.data == L.SPINOUS_PROCESS
    assert len(LUMBAR) >= 5
    assert without(lumbar, spinous) == ["arches_missing"]
    assert without(lumbar, spinous & (lumbar.vertebra < LUMBAR[-1])) == []


def test_no_canal(lumbar):
    assert without(lumbar, np.isin(lumbar.labels.data, (L.CANAL, L.CORD))) == ["canal_missing"]


def test_a_broken_canal(lumbar):
    canal = np.isin(lumbar.labels.data, (L.CANAL, L.CORD))
    middle = int(np.argwhere(body_of(lumbar, L2))[:, 1].mean())
    canal[:, : middle - 6] = canal[:, middle + 6 :] = False
    assert without(lumbar, canal) == ["canal_broken"]


def test_a_canal_beside_the_bodies(lumbar):
    """A vessel in front and to the left, say."""
    subregion = lumbar.labels.data.copy()
    canal = np.isin(subregion, (L.CANAL, L.CORD))
    subregion[canal] = 0
    subregion[40:52, :, 28:31] = L.CANAL
    assert "canal_beside" in flags(lumbar, subregion)


def test_a_body_in_two_pieces(lumbar):
    body = body_of(lumbar, L3)
    middle = int(np.argwhere(body)[:, 1].mean())
    body[:, : middle - 2] = body[:, middle + 2 :] = False
    assert without(lumbar, body) == ["body_in_pieces"]


def test_a_body_of_which_little_is_left(lumbar):
    """4 of 40 ml: less than any L3 has, and far less than its neighbours."""
    body = body_of(lumbar, L3)
    index = np.argwhere(body)
    left = index[:, 0] < index[:, 0].min() + 4
    body[tuple(index[left].T)] = False
    assert without(lumbar, body)[:3] == ["sizes_impossible", "slivers", "sizes_uneven"]


def test_lumbar_bodies_called_cervical(lumbar):
    """Names off by fifteen: bodies of 40 ml where 7 are the most."""
    assert BODY_VOLUME_MM3["C3"][1] < 40000 < BODY_VOLUME_MM3["L3"][1]
    shift = np.zeros(256, np.uint8)
    for offset in (0, L.DISC_OFFSET, L.ENDPLATE_OFFSET):
        shift[offset + T11 : offset + L5 + 1] = np.arange(offset + 3, offset + 3 + len(LUMBAR))
    assert "sizes_impossible" in flags(lumbar, vertebra=shift[lumbar.vertebra])


def test_a_measured_height_that_the_level_cannot_have(lumbar):
    rows = [{"level": "L3", "height_middle_mm": 26.0, "depth_middle_mm": None}]
    assert flags(lumbar, rows=rows) == []
    rows[0]["height_middle_mm"] = 60.0
    assert flags(lumbar, rows=rows) == ["sizes_impossible"]


def test_two_bodies_and_their_disc_called_one_are_twice_as_high(lumbar):
    subregion, vertebra = lumbar.labels.data.copy(), lumbar.vertebra.copy()
    between = np.isin(vertebra, (L.DISC_OFFSET + L2, L.ENDPLATE_OFFSET + L2))
    subregion[between] = L.BODY_BORDER
    vertebra[between | (vertebra == L3)] = L2
    assert "sizes_uneven" in flags(lumbar, subregion, vertebra)


def test_a_missing_vertebra_leaves_a_gap(lumbar):
    family = np.isin(lumbar.vertebra, (L2, L.DISC_OFFSET + L2))
    assert "spacing_uneven" in without(lumbar, family)


def test_a_header_with_front_and_back_exchanged(whole):
    assert flags(whole, turn=np.diag([1, -1, 1, 1.0])) == ["front_back_exchanged"]


def test_a_spine_on_its_head_is_known_by_its_sacrum(lumbar):
    assert flags(lumbar, turn=np.diag([1, 1, -1, 1.0])) == ["head_feet_exchanged"]


def test_a_spine_on_its_head_is_known_by_sizes_and_processes(whole):
    thorax = box_spine(range(9, 20))
    assert flags(thorax, turn=np.diag([1, 1, -1, 1.0])) == ["head_feet_exchanged"]


def test_a_spine_on_its_head_is_known_by_a_cord_in_the_lower_half_of_the_canal():
    """Five vertebrae grow in neither direction, and processes are drawn as on an upright spine."""
    lumbar = box_spine(range(20, 25))
    subregion = lumbar.labels.data.copy()
    subregion[subregion == L.SACRUM] = 0
    canal = np.isin(subregion, (L.CANAL, L.CORD))
    lowest = np.argwhere(canal)[:, 1].max()
    inside = canal & (np.arange(subregion.shape[1])[:, None] > lowest - 60)
    subregion[canal] = L.CANAL
    assert "head_feet_exchanged" not in flags(lumbar, subregion)
    subregion[inside] = L.CORD
    assert "head_feet_exchanged" in flags(lumbar, subregion)


def test_a_spine_on_its_head_is_known_by_sizes_alone():
    """On such an image networks draw processes and canal anywhere: only the bodies are right."""
    thorax = box_spine(range(9, 20), cord=False)
    processes = np.isin(thorax.labels.data, L.POSTERIOR_ELEMENTS) & (thorax.labels.data != L.ARCUS)
    maps = [np.where(processes, 0, data) for data in (thorax.labels.data, thorax.vertebra)]
    assert "head_feet_exchanged" in flags(thorax, *maps, turn=np.diag([1, 1, -1, 1.0]))


def test_head_first_and_prone_at_once(lumbar):
    both = flags(lumbar, turn=np.diag([1, -1, -1, 1.0]))
    assert both == ["front_back_exchanged", "head_feet_exchanged"]


@pytest.mark.parametrize("plane", [(1, 2), (0, 2)])
@pytest.mark.parametrize(("degrees", "expected"), [(20, []), (30, ["spine_tilted"])])
def test_a_header_that_turns_the_spine(whole, plane, degrees, expected):
    assert flags(whole, turn=turned(degrees, *plane)) == expected


def test_a_neck_may_lean_further_than_a_whole_spine():
    neck = box_spine(NECK, sacrum=False)
    assert flags(neck, turn=turned(30, 1, 2)) == []
    assert flags(neck, turn=turned(45, 1, 2)) == ["spine_tilted"]


def test_front_and_back_are_known_by_the_curves_where_canal_and_arches_are_missing(lumbar):
    """The sacrum lies 20 mm in front of the last body, and what should lie behind is missing."""
    gone = np.isin(lumbar.labels.data, (*L.POSTERIOR_ELEMENTS[1:], L.CANAL, L.CORD))
    maps = [np.where(gone, 0, data) for data in (lumbar.labels.data, lumbar.vertebra)]
    found = {}
    for shift in (-20, 20):  # rows towards the back
        moved = [data.copy() for data in maps]
        for data in moved:
            data[lumbar.labels.data == L.SACRUM] = 0
            data[np.roll(lumbar.labels.data == L.SACRUM, shift, axis=0)] = L.SACRUM
        found[shift] = "front_back_exchanged" in flags(lumbar, *moved)
    assert found == {-20: True, 20: False}


def test_a_lost_slice_distance_makes_narrow_bodies(lumbar):
    """Slices of 3 mm in a header that says 1 mm."""
    assert flags(lumbar, turn=np.diag([1 / 3, 1, 1, 1.0])) == ["proportions_impossible"]


def test_a_header_whose_axes_are_exchanged(whole):
    assert "spine_tilted" in flags(whole, turn=turned(90, 1, 2))


def test_two_slivers_are_no_spine():
    """All that was found are plates of 0.4 ml, called C3 and C4."""
    spine = box_spine((3, 4), sacrum=False)
    keep = np.isin(spine.labels.data, L.BODY_LABELS) & (np.arange(150)[:, None, None] < 32)
    with pytest.raises(
        ImplausibleResult,
        match="found: 2, the largest of 0.* ml; expected at least one of 0.8 to 150 ml",
    ):
        without(spine, ~keep)


def test_a_plate_among_bodies_is_flagged_and_nothing_but_plates_refused(lumbar):
    """Plates of 48 x 26 x 3 mm hold 3.7 ml, as much as a cervical body: their shape tells."""
    thin = np.isin(lumbar.labels.data, L.BODY_LABELS) & (np.arange(150)[:, None, None] >= 30 + 3)
    assert "slivers" in without(lumbar, thin & (lumbar.vertebra == L3))
    with pytest.raises(ImplausibleResult, match="a fifth as thick as long"):
        without(lumbar, thin)


def test_bodies_with_nothing_of_a_spine_around_them(lumbar):
    with pytest.raises(ImplausibleResult, match="neither a canal nor an arch"):
        without(lumbar, ~np.isin(lumbar.labels.data, L.BODY_LABELS))


def test_half_a_vertebra_at_the_border_is_not_refused():
    spine = box_spine((L3, L4), sacrum=False)
    top = int(np.argwhere(body_of(spine, L3))[:, 1].max()) - 3
    maps = [data[:, top:] for data in (spine.labels.data, spine.vertebra)]
    assert flags(spine, *maps) == []


def test_which_voxels_of_a_long_canal_are_looked_at_does_not_depend_on_their_order():
    rng = np.random.default_rng(0)
    points = rng.uniform(-300, 300, (3 * CANAL_POINTS, 3))
    chosen, again = _thinned(points), _thinned(rng.permutation(points))
    assert len(chosen) == CANAL_POINTS and (chosen == again).all()


def test_the_page_on_outputs_explains_every_flag_in_the_same_words():
    section = PAGE.read_text().split("### Flags of the whole result")[1].split("\n#")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", section, re.MULTILINE))
    assert rows == SCAN_FLAGS


def test_flags_come_in_the_order_of_their_declaration(lumbar):
    canal = np.isin(lumbar.labels.data, (L.CANAL, L.CORD))
    discs = np.isin(lumbar.vertebra, (L.DISC_OFFSET + L2, L.DISC_OFFSET + L3))
    found = without(lumbar, canal | discs | body_of(lumbar, T11))
    assert found == [flag for flag in SCAN_FLAGS if flag in found] and len(found) >= 3
