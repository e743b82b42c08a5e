"""The columns' declarations hold together with the rows that the code makes."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from support.spines.solid_spine import SolidSpine, render

from wirbel.core.dictionary import (
    IDENTITY,
    NUMBER,
    PLAUSIBILITY,
    TABLES,
    clean_row,
)
from wirbel.core.dictionary.topics import quality
from wirbel.core.dictionary.topics.agreement import OF_DISCS, OF_SCANS, OF_VERTEBRAE
from wirbel.core.measures import measure
from wirbel.core.measures.status import STATUS_CODES
from wirbel.errors import REASONS
from wirbel.io.repeatability import read_repeatability


def names_of(columns):
    return {column.name for column in columns}


ADDED_BY_STAGES = {
    "scans": {
        "scan_status",
        "settings_fingerprint",
        "model",
        "wirbel_version",
        "level_confidence",
        "level_method",
        "level_alternative",
        "parts_set_aside",
        "levels_agree",
        "level_flags",
        "flags",
        "review",
        *names_of(OF_SCANS),
    },
    "vertebrae": {"level_confidence", "level_method", "review", *names_of(OF_VERTEBRAE)},
    "discs": {"level_confidence", "level_method", "review", *names_of(OF_DISCS)},
    "levels": {"level_confidence", "level_method", "review"},
}
PAGE = Path(__file__).parents[2] / "docs" / "measures.md"
ALL = [(table, column) for table, columns in TABLES.items() for column in columns]


@pytest.fixture(scope="module")
def measured():
    result = measure(None, *render(SolidSpine()))
    return {
        "scans": result.scan,
        "vertebrae": result.vertebrae[0],
        "discs": result.discs[0],
        "levels": result.levels[0],
    }


@pytest.mark.parametrize("table", ADDED_BY_STAGES)
def test_declared_and_measured_columns_are_the_same(table, measured):
    by_others = {c.name for c in (*IDENTITY, *PLAUSIBILITY)}
    declared = {column.name for column in TABLES[table]} - by_others
    assert declared == measured[table].keys() | ADDED_BY_STAGES[table]


@pytest.mark.parametrize(("table", "column"), ALL, ids=lambda value: getattr(value, "name", value))
def test_every_column_says_what_it_is(table, column):
    names = [c.name for c in TABLES[table]]
    assert names.count(column.name) == 1
    assert column.description and column.definition and column.source
    if column.kind == NUMBER and column.name.endswith(("_mm", "_mm3")):
        assert column.units == column.name.rsplit("_", 1)[1]
    if column.name.endswith("_status"):
        assert column.codes and column.codes["ok"]
        assert column.codes.keys() <= STATUS_CODES.keys() | REASONS.keys()
    elif column.kind == NUMBER:
        assert column.status in names, "a missing value needs a column that explains it"
    if column.kind == NUMBER and column.compared:
        assert column.interval, "a measure needs the range that adults lie in"
    if column.interval:
        assert column.interval[0] < column.interval[1]


def test_a_row_is_cleaned_into_the_declared_order_and_types():
    row = clean_row(
        "vertebrae", {"height_status": "ok", "height_anterior_mm": 25.12345, "label": 22.0}
    )
    assert list(row.items()) == [
        ("label", 22),
        ("height_anterior_mm", 25.123),
        ("height_status", "ok"),
    ]
    assert clean_row("vertebrae", {"height_anterior_mm": math.nan}) == {"height_anterior_mm": None}


def test_an_undeclared_value_is_refused():
    with pytest.raises(KeyError, match="wibble_mm"):
        clean_row("discs", {"wibble_mm": 1.0})


def test_the_dictionary_is_in_the_manner_of_bids():
    entries = {column.name: column.entry() for column in TABLES["vertebrae"]}
    entry = entries["height_anterior_mm"]
    assert entry["Units"] == "mm" and entry["Range"] == [3.6, 49.2]
    assert entry["RangeByLevel"]["C3"] == [3.8, 24.3] and entry["RangeByLevel"]["L3"] == [7.7, 48.8]
    assert entry["MissingExplainedBy"] == "height_status"
    assert entries["height_status"]["Levels"]["touches_border"]


def test_the_page_on_measures_explains_every_status_code_in_the_same_words():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE))
    assert rows == STATUS_CODES


@pytest.mark.parametrize("table", ["vertebrae", "discs", "levels"])
def test_the_page_on_measures_names_every_measure(table):
    page = PAGE.read_text()
    for column in TABLES[table]:
        if column.units and "centroid" not in column.name:
            stem = re.sub(r"_(left|right)?_?volume_mm3$|_volume_mm3$", "", column.name)
            assert column.name in page or stem in page, column.name


NOT_MEASURES = {"level_confidence", "in_plane_spacing_mm", "slice_spacing_mm"}
FROM_IMAGE = {"nucleus_annulus_contrast", "disc_heterogeneity", "body_heterogeneity_percent"}
GRADES = {"genant_grade", "meyerding_grade", "stenosis_grade"}
GRADES |= {"fracture_count", "spinal_deformity_index"}
NOT_MEASURES |= names_of((*PLAUSIBILITY, *OF_VERTEBRAE, *OF_SCANS, *quality.OF_SCANS))


@pytest.mark.parametrize("table", ["vertebrae", "discs", "levels", "scans"])
def test_every_measure_states_how_repeatable_it_is(table):
    numbers = {c.name for c in TABLES[table] if c.kind == NUMBER} - NOT_MEASURES
    stated = read_repeatability()[table]
    assert stated.keys() == numbers | (GRADES & names_of(TABLES[table]))
    for name, figures in stated.items():
        assert 0 <= figures["Difference95"] <= figures["DifferenceLargest"], name
        assert figures["Scans"] >= 2, name
        from_image = "to_csf" in name or name in FROM_IMAGE
        assert ("Difference95Resliced" in figures) == (not from_image), name
        regions = figures.get("Difference95ByRegion", {})
        assert bool(regions) == (table != "scans"), name
        assert all(0 <= part <= figures["DifferenceLargest"] for part in regions.values()), name


def test_small_volumes_of_the_neck_have_figures_of_their_own():
    """A cervical disc has a tenth of a lumbar one's volume, and repeats to fewer cubic millimetres."""
    regions = read_repeatability()["discs"]["disc_volume_mm3"]["Difference95ByRegion"]
    assert max(regions["cervical"], regions["thoracic"]) < regions["lumbar"] / 1.5


def test_the_figures_stand_in_the_dictionary_entry():
    column = next(c for c in TABLES["vertebrae"] if c.name == "height_middle_mm")
    figures = read_repeatability()["vertebrae"]["height_middle_mm"]
    assert column.entry(figures)["Repeatability"]["Difference95"] < 0.86  # less than a voxel
    assert "Repeatability" not in column.entry()
