"""Vertebrae, discs, canal, cord and sacrum missing, one or two at a time: nothing crashes, and nothing is claimed."""

from __future__ import annotations

from fnmatch import fnmatch
from itertools import combinations

import numpy as np
import pytest
from support.spines.chain_spine import ChainSpine, body, disc, render
from support.spines.rows import hold
from support.spines.solid_spine import rotation

from wirbel.core import labels as L
from wirbel.core.labels import LEVEL_LABELS, LEVEL_NAMES
from wirbel.core.measures import measure
from wirbel.core.measures.fractures.expected import USUAL_POSTERIOR_MM
from wirbel.io.repeatability import read_repeatability

L3, L4, L5 = (LEVEL_LABELS[name] for name in ("L3", "L4", "L5"))
SUBREGIONS = {"canal and cord": (L.CANAL, L.CORD), "canal": (L.CANAL,), "cord": (L.CORD,)}
SUBREGIONS |= {"sacrum": (L.SACRUM,)}
THINGS = (L3, L4, L5, *(L.DISC_OFFSET + v for v in (L3, L4, L5)), *SUBREGIONS)
CHOICES = [(thing,) for thing in THINGS] + list(combinations(THINGS, 2))
MAY_CHANGE = {
    "scans": {"last_level", "first_level", "coverage_percent", "bodies_complete", "complete"},
    "vertebrae": {"crush_ratio", "expected_height_mm", "corner_crush_ratio", "height_loss_percent"},
}
"""Columns that describe what is there as a whole, or compare with the neighbours that are there, by definition."""


@pytest.fixture(scope="module")
def maps():
    """Heights in the usual proportion, so that any vertebra predicts the others."""
    heights = USUAL_POSTERIOR_MM
    links = [link for v in (L3, L4, L5) for link in (body(v, heights[v]), disc(v, 7, 10))]
    return render(ChainSpine(links, sacrum=True), (3.3, 1.1, 1.1), rotation(3, 2, 2))


def tables(maps):
    measured = measure(None, *maps)
    rows = {("scans", 0): measured.scan}
    for table, key in (("vertebrae", "label"), ("discs", "label_above"), ("levels", "label")):
        rows |= {(table, row[key]): row for row in getattr(measured, table)}
    return rows


@pytest.fixture(scope="module")
def whole(maps):
    return tables(maps)


def without(maps, things):
    """Return both maps without some numbers of the vertebra map or some subregions."""
    subregion, vertebra = maps
    gone = np.zeros(subregion.data.shape, bool)
    for thing in things:
        if isinstance(thing, str):
            gone |= np.isin(subregion.data, SUBREGIONS[thing])
        else:
            gone |= np.isin(vertebra.data, (thing, thing + L.ENDPLATE_OFFSET))
    return [volume.with_data(np.where(gone, 0, volume.data)) for volume in maps]


def unchanged(table, name, before, after):
    """Whether a value is the same, up to what another scan of the same person would change."""
    if isinstance(after, (bool, str, int)) or name not in read_repeatability()[table]:
        return after == before
    stated = read_repeatability()[table][name]["Difference95"]
    return before is not None and abs(after - before) <= stated + 1e-9


DISC_SECTIONS = ("*_disc_mm*", "*_ratio_disc", "canal_*_min_*", "stenosis_grade")
ALONE = {
    L3: [("discs", L3, "slip_*"), ("levels", L4, "*_volume_mm3")],
    L4: [("discs", L3, "slip_*"), ("discs", L4, "slip_*"), ("levels", None, "*_volume_mm3")],
    L5: [("discs", L4, "slip_*"), ("discs", L5, "slip_*"), ("levels", L4, "*_volume_mm3")],
    "canal": [("levels", None, n) for n in ("canal_*", "*_ratio_*", "space_*", "stenosis_grade")],
    "cord": [("levels", None, n) for n in ("cord_*", "space_*")],
    "sacrum": [("discs", L5, "slip_*"), ("levels", L5, "*_volume_mm3"), ("scans", 0, "sacr*")],
}
"""Thing -> (table, row, columns) that lack it: shares and slips of those next to it, sections beside it, its own."""
ALONE |= {L.DISC_OFFSET + v: [("levels", v, name) for name in DISC_SECTIONS] for v in (L3, L4, L5)}
for label in (L3, L4, L5):  # what compares a disc with its vertebrae, and a segment's end
    for disc_above in (label, label - 1):
        names = ("meyerding_grade", "segment_*", "disc_*_index", "posterior_bulge_*")
        ALONE[label] += [("discs", disc_above, name) for name in names]
ALONE["sacrum"] += [("discs", L5, name) for name in ("meyerding_grade", "posterior_bulge_*")]
ALONE["canal"].append(("scans", 0, "canal_volume_mm3"))
ALONE["cord"].append(("scans", 0, "cord_volume_mm3"))
ALONE[L5] += [("scans", 0, name) for name in ("sacral_*", "lumbar_*", "spine_*")]
ALONE[L.DISC_OFFSET + L5] += [("scans", 0, "sacral_*"), ("discs", L5, "*")]
COMPARED = ("crush_ratio", "expected_*", "corner_*_ratio", "height_loss_*", "genant_*", "short_*")
OF_ALL = ("largest_slip_*", "fracture_count", "spinal_deformity_index")
"""Of what compares a vertebra with others, and of what is there as a whole, nothing is left where two are missing."""


def may_be_empty(table, key, name, choice):
    """Whether a column has a reason to be empty, given what is missing."""
    if {"canal and cord"} & set(choice) or {"canal", "cord"} <= set(choice):
        counted = ("body_volume_mm3", "vertebra_volume_mm3", "disc_volume_mm3")
        return name not in counted and "centroid" not in name
    lacking = [entry for thing in choice for entry in ALONE[thing]]
    lacking += [("vertebrae", None, compared) for compared in COMPARED]
    lacking += [("scans", 0, whole) for whole in OF_ALL]
    return any(
        table == where and row in (None, key) and fnmatch(name, pattern)
        for where, row, pattern in lacking
    )


def named(choice):
    names = [t if isinstance(t, str) else LEVEL_NAMES[t % 100] + " disc" * (t > 99) for t in choice]
    return " and ".join(names)


@pytest.mark.parametrize("choice", CHOICES, ids=named)
def test_what_is_missing_empties_its_columns_and_no_others(maps, whole, choice):
    found = tables(without(maps, choice))
    counts = {
        name for name in found["scans", 0] if name.endswith(("_found", "_in_view", "_graded"))
    }
    for (table, key), row in found.items():
        hold(table, row)
        if isinstance(key, int) and key in choice:
            continue
        for name, value in row.items():
            skip = MAY_CHANGE.get(table, set()) | counts | {"numbering_flags", "complete"}
            largest = "cobb" in name or name.startswith("largest_")  # of what is there
            before = whole[table, key][name]
            if value is None:
                assert before is None or may_be_empty(table, key, name, choice), (table, key, name)
            if value is None or name.endswith("_status") or name in skip or largest:
                continue
            assert unchanged(table, name, before, value), (table, key, name, before, value)


def test_a_disc_above_the_topmost_vertebra_is_measured(maps):
    """As naming leaves it above a topmost C3: the disc C2-C3 without a C2."""
    subregion, vertebra = maps
    numbers = np.arange(256, dtype=np.uint8)
    numbers[[L3, L4, L.DISC_OFFSET + L3]] = 0, 3, 102
    c3 = vertebra.with_data(numbers[vertebra.data])
    discs = {row["label_above"]: row for row in measure(None, subregion, c3).discs}
    assert discs[2]["level"] == "C2-C3" and discs[2]["disc_height_status"] == "ok"
    assert discs[2]["slip_status"] == "no_neighbour"


def test_the_disc_above_a_missing_vertebra_keeps_its_name(maps):
    rows = tables(without(maps, (L5,)))
    assert rows["discs", L4]["level"] == "L4-L5"
    scan = rows["scans", 0]
    assert scan["numbering_flags"] == "gap"
    for name in ("lumbar_lordosis", "lumbar_lordosis_s1"):
        assert scan[f"{name}_deg"] is None


def test_without_a_canal_label_the_cord_is_no_canal(maps):
    row = tables(without(maps, ("canal",)))["levels", L4]
    assert row["canal_area_body_mm2"] is None and row["canal_body_status"] == "absent"
    assert row["space_for_cord_body_mm"] is None and row["space_body_status"] == "absent"


def test_a_canal_drawn_around_a_cord_that_is_not_labelled_has_its_whole_area(maps, whole):
    rows = tables(without(maps, ("cord",)))
    for name in ("canal_area_body_mm2", "canal_ap_body_mm", "canal_ap_min_mm"):
        assert rows["levels", L4][name] == pytest.approx(whole["levels", L4][name], rel=0.03)


def test_the_share_of_a_level_without_a_neighbour_is_unknown(maps):
    alone = tables(without(maps, (L3, L5)))["levels", L4]
    assert alone["canal_volume_mm3"] is None and alone["canal_status"] == "vertebra_missing"
