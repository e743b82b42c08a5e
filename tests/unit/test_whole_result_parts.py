"""The look at the whole result, at what belongs together: names, discs, processes, cord and canal, both maps."""

from __future__ import annotations

import numpy as np
import pytest
from support.spines.spine_boxes import BoxSpine, box_spine

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.plausibility.whole.check import check_whole_result

T11, T12, L1, L2, L3, L4 = 18, 19, 20, 21, 22, 23


@pytest.fixture
def lumbar() -> BoxSpine:
    return box_spine(range(T11, 25))


def flags(spine: BoxSpine, **maps: np.ndarray) -> list[str]:
    """Check a spine, with other maps."""
    found = {"subregion": spine.labels.data, "vertebra": spine.vertebra} | maps
    volumes = (Volume(found[name], spine.labels.affine) for name in ("subregion", "vertebra"))
    return check_whole_result(*volumes)


def named(spine: BoxSpine, names: dict[int, int], where: np.ndarray | bool = True) -> np.ndarray:
    """The vertebra map with other numbers, all at once."""
    table = np.arange(256, dtype=np.uint8)
    table[list(names)] = list(names.values())
    return np.where(where, table[spine.vertebra], spine.vertebra)


def test_a_name_may_be_left_out_between_t11_and_l1_alone(lumbar):
    def from_the_bottom(first: int, by: int) -> dict[int, int]:
        return {offset + v: offset + v + by for offset in (0, 100, 200) for v in range(first, 25)}

    assert flags(lumbar, vertebra=named(lumbar, from_the_bottom(L2, 1))) == ["names_skipped"]
    eleven = {offset + T12: offset + T11 for offset in (0, 100, 200)}
    without_t10 = {offset + T11: offset + T11 - 1 for offset in (0, 100, 200)}
    assert flags(lumbar, vertebra=named(lumbar, without_t10 | eleven)) == []


def test_a_vertebra_map_that_lies_elsewhere(lumbar):
    assert flags(lumbar, vertebra=np.roll(lumbar.vertebra, 1, axis=2)) == ["maps_disagree"]


def test_discs_have_the_name_of_the_vertebra_above(lumbar):
    down = {L.DISC_OFFSET + v: L.DISC_OFFSET + v + 1 for v in range(T11, 25)}
    assert "discs_misplaced" in flags(lumbar, vertebra=named(lumbar, down))
    front = np.arange(150)[:, None, None] < 45  # half of one disc alone
    half = named(lumbar, {L.DISC_OFFSET + L2: L.DISC_OFFSET + L3}, front)
    assert flags(lumbar, vertebra=half) == ["discs_misplaced"]


def test_bodies_of_which_discs_have_eaten_half(lumbar):
    subregion, vertebra = lumbar.labels.data.copy(), lumbar.vertebra.copy()
    for label in range(T12, 25):
        body = np.isin(subregion, L.BODY_LABELS) & (vertebra == label)
        rows = np.flatnonzero(body.any((0, 2)))
        body[:, rows[len(rows) // 2] :] = False
        subregion[body], vertebra[body] = L.DISC, L.DISC_OFFSET + label - 1
    assert "bodies_too_low" in flags(lumbar, subregion=subregion, vertebra=vertebra)


def test_arches_have_the_name_of_their_body(lumbar):
    behind = np.isin(lumbar.labels.data, L.POSTERIOR_ELEMENTS)
    down = {v: v + 1 for v in range(T11, 24)}
    assert "arches_misplaced" in flags(lumbar, vertebra=named(lumbar, down, behind))
    up = {v + 1: v for v in range(T11, 24)}
    assert "arches_misplaced" in flags(lumbar, vertebra=named(lumbar, up, behind))


def test_one_spinous_process_under_the_next_name(lumbar):
    spinous = lumbar.labels.data == L.SPINOUS_PROCESS
    assert flags(lumbar, vertebra=named(lumbar, {L2: L3}, spinous)) == ["arches_misplaced"]
    assert flags(lumbar, vertebra=named(lumbar, {L3: L2}, spinous)) == ["arches_misplaced"]


def test_left_lies_to_the_left(lumbar):
    def mirrored(*labels: int) -> np.ndarray:
        table = np.arange(256, dtype=np.uint8)
        table[[L.COSTAL_LEFT, L.COSTAL_RIGHT]] = L.COSTAL_RIGHT, L.COSTAL_LEFT
        chosen = np.isin(lumbar.vertebra, labels)
        return np.where(chosen, table[lumbar.labels.data], lumbar.labels.data)

    assert flags(lumbar, subregion=mirrored(L3)) == []
    assert flags(lumbar, subregion=mirrored(L3, L4)) == ["sides_exchanged"]


def test_a_cord_with_a_gap():
    thorax = box_spine(range(9, 20))
    subregion = thorax.labels.data.copy()
    rows = np.flatnonzero((subregion == L.CORD).any((0, 2)))
    for gap, expected in ((8, []), (24, ["cord_broken"])):
        middle = rows[len(rows) // 2]
        data = subregion.copy()
        inside = data[:, middle : middle + gap]
        inside[inside == L.CORD] = L.CANAL
        assert flags(thorax, subregion=data) == expected


@pytest.mark.parametrize(
    ("cone_mm", "thickness", "lift", "expected"),
    [
        (30, 3, 0, []),
        (30, 7, 0, ["cord_broken"]),  # as thick as the cord: it goes on
        (0, 3, 0, ["cord_broken"]),  # its end is cut off, no cone
        (30, 3, 150, ["cord_broken"]),  # no cord ends beside T6
    ],
)
def test_roots_below_the_conus_are_no_broken_cord(cone_mm, thickness, lift, expected):
    spine = box_spine(range(11, 25))
    data = spine.labels.data.copy()
    cord = data == L.CORD
    front, (left, _) = np.argwhere(cord)[:, 0].min(), np.unique(np.argwhere(cord)[:, 2])
    end = int(np.argwhere(cord)[:, 1].max()) + 1 - lift
    data[:, end:][cord[:, end:]] = L.CANAL
    for row in range(end - cone_mm, end):
        behind = cord[:, row].copy()
        behind[: front + 1 + 6 * (end - row) // max(cone_mm, 1)] = False
        data[:, row][behind] = L.CANAL
    data[front : front + thickness, end + 24 : end + 48, left : left + min(thickness // 2, 2)] = (
        L.CORD
    )
    assert flags(spine, subregion=data) == expected


def test_cord_and_canal_exchanged():
    thorax = box_spine(range(9, 20))
    table = np.arange(256, dtype=np.uint8)
    table[[L.CORD, L.CANAL]] = L.CANAL, L.CORD
    assert flags(thorax, subregion=table[thorax.labels.data]) == ["cord_outside"]


def test_a_canal_that_runs_out_into_the_abdomen(lumbar):
    subregion = lumbar.labels.data.copy()
    abdomen = subregion[2:20, 80:110, 10:20]
    assert not abdomen.any()
    abdomen[:] = L.CANAL
    assert flags(lumbar, subregion=subregion) == ["canal_leaks"]


def test_the_lower_half_runs_on_elsewhere():
    lumbar = box_spine(range(T11, 25), sacrum=False)
    moved = lumbar.vertebra % 100 >= L2
    row = np.flatnonzero((lumbar.vertebra == L.DISC_OFFSET + L1).any((0, 2))).max() + 1
    for shift, expected in ((12, False), (25, True)):
        maps = [data.copy() for data in (lumbar.labels.data, lumbar.vertebra)]
        for data in maps:
            data[:, row:] = np.roll(data[:, row:], -shift, axis=0)
        assert moved.any()
        found = flags(lumbar, subregion=maps[0], vertebra=maps[1])
        assert ("spine_stepped" in found) is expected


@pytest.mark.parametrize("label", [L3, 24])
def test_a_body_grown_forward_to_twice_its_depth(lumbar, label):
    body = np.isin(lumbar.labels.data, L.BODY_LABELS) & (lumbar.vertebra == label)
    grown = np.roll(body, -28, axis=0) & (lumbar.labels.data == 0)
    assert grown.sum() > body.sum() / 2
    subregion = np.where(grown, L.BODY_BORDER, lumbar.labels.data).astype(np.uint8)
    vertebra = np.where(grown, label, lumbar.vertebra).astype(np.uint8)
    assert "sizes_uneven" in flags(lumbar, subregion=subregion, vertebra=vertebra)


def test_a_sacrum_called_a_body_is_too_large_though_the_border_cuts_it(lumbar):
    sacrum = lumbar.labels.data == L.SACRUM
    low = np.flatnonzero(sacrum.any((0, 2))).max() + 1
    subregion = np.where(sacrum, L.BODY_BORDER, lumbar.labels.data)[:, :low]
    vertebra = np.where(sacrum, L4 + 2, lumbar.vertebra)[:, :low]
    wide = np.repeat(subregion, 4, axis=1), np.repeat(vertebra, 4, axis=1)
    assert "sizes_impossible" in flags(lumbar, subregion=wide[0], vertebra=wide[1])


@pytest.mark.parametrize("fault", [(L2, L3), (L3, L2)])
def test_narrow_slabs_that_cut_all_flanks_are_checked_as_well(fault):
    """No body lies wholly within nine slices; heights and positions are as good as those of wider scans."""
    spine = box_spine(range(T11, 25))
    narrow = [data[:, :, 12:20] for data in (spine.labels.data, spine.vertebra)]
    assert flags(spine, subregion=narrow[0], vertebra=narrow[1]) == []
    table = np.arange(256, dtype=np.uint8)
    table[fault[0]] = fault[1]
    assert "names_skipped" in flags(spine, subregion=narrow[0], vertebra=table[narrow[1]])
    lost = narrow[1] == fault[0]
    maps = [np.where(lost, 0, data) for data in narrow]
    assert "spacing_uneven" in flags(spine, subregion=maps[0], vertebra=maps[1])


def test_a_spinous_process_missing_between_two(lumbar):
    """Its own arch is there; a laminectomy takes both."""
    spinous = (lumbar.labels.data == L.SPINOUS_PROCESS) & (lumbar.vertebra == L2)
    maps = [np.where(spinous, 0, data) for data in (lumbar.labels.data, lumbar.vertebra)]
    assert flags(lumbar, subregion=maps[0], vertebra=maps[1]) == ["arches_misplaced"]
