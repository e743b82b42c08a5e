"""Every measure has a unit, a range, a truth that it was compared with, repeatability, a picture and an evaluation.

What a measure lacks stands below, with the reason.
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from wirbel.core.dictionary import BOOLEAN, IDENTITY, INTEGER, NUMBER, PLAUSIBILITY, STRING, TABLES
from wirbel.core.dictionary.topics import quality
from wirbel.core.dictionary.topics.agreement import OF_DISCS, OF_SCANS, OF_VERTEBRAE
from wirbel.core.evaluation.compared_measures import NAMES
from wirbel.io.repeatability import read_repeatability

DOCS = Path(__file__).parents[2] / "docs"
DESCRIBE_THE_SCAN = {
    *("scan_status", "settings_fingerprint", "model", "wirbel_version", "flags", "review"),
    *("level_confidence", "level_method", "level_alternative", "level_flags", "levels_agree"),
    *("parts_set_aside", "in_plane_spacing_mm", "slice_spacing_mm", "complete", "bodies_complete"),
    *("label", "label_above", "level", "level_order", "first_level", "last_level"),
    *("vertebrae_found", "vertebrae_in_view", "discs_found", "discs_in_view", "vertebrae_graded"),
    *("coverage_percent", "numbering_flags"),
    *(c.name for c in (*IDENTITY, *PLAUSIBILITY, *OF_DISCS, *OF_SCANS, *OF_VERTEBRAE)),
    *(c.name for c in quality.OF_SCANS),
}
"""Columns that tell what a row is about, what was in view and how it was named: no measures of a person."""
MEASURES = [
    (table, column)
    for table in ("scans", "vertebrae", "discs", "levels")
    for column in TABLES[table]
    if column.name not in DESCRIBE_THE_SCAN and not column.name.endswith("_status")
]

PICTURES = {
    "vertebra": ["height_*_mm", "depth_*_mm", "wedge_angle_deg", "wedge_ratio", "crush_ratio"]
    + ["biconcavity_ratio"],
    "rims": ["corner_*", "concavity_*", "expected_height_mm", "height_loss_percent", "genant_*"]
    + ["short_vertebral_height", "fracture_count", "spinal_deformity_index"],
    "cross_section": ["body_area_mm2", "width_*_mm", "disc_width_mm"],
    "disc": ["disc_height*", "disc_depth_mm", "disc_area*", "disc_wedge_angle_deg", "slip_*"]
    + ["meyerding_grade", "largest_slip_*"],
    "slopes": ["segment_angle_deg", "t1_slope_deg", "sacral_slope_deg"],
    "bulge": ["posterior_bulge_mm"],
    "foramen": ["foramen_height_*"],
    "section": ["c*_area_*_mm2", "c*_ap_*_mm", "c*_rl_*_mm", "space_for_cord_*", "cord_to_canal_*"],
    "neck": ["torg_pavlov_ratio", "canal_*_min_*", "stenosis_grade"],
    "compression": ["cord_compression_percent"],
    "curves": ["*_lordosis_*deg", "thoracic_kyphosis_deg", "spine_length_mm"],
    "coronal": ["cobb_*", "coronal_wedge_angle_deg"],
    "nucleus": ["nucleus_*", "annulus_*", "disc_heterogeneity", "disc_to_csf_*"],
    "marrow": ["body_to_csf_*", "body_heterogeneity_percent", "vbq_*"],
}
"""Picture of docs/measures.md -> the measures whose definition it shows."""

PART = "a part of vertebra_volume_mm3, which is compared; single processes are too small to judge networks by"
COUNTED = (
    "a volume is the label map itself: pictures of it stand in README.md and on every scan's page"
)
POSITION = "a place, not a size: what is right depends on the scanner's origin"
SHARE = "depends on how far the field of view reaches, so that there is no one true value"
NAMED = "a name, right or wrong: names have no error and no spread"
EXCEPTIONS = [
    ("*centroid_*", {"range", "truth", "picture", "evaluation"}, POSITION),
    ("*_volume_mm3", {"picture"}, COUNTED),
    ("*_process_*volume_mm3", {"evaluation"}, PART),
    ("arcus_vertebrae_volume_mm3", {"evaluation"}, PART),
    ("canal_volume_mm3", {"truth", "evaluation"}, SHARE),
    ("cord_volume_mm3", {"truth", "evaluation"}, SHARE),
    ("sacrum_volume_mm3", {"truth", "evaluation"}, SHARE),
    ("*_surface_volume_mm3", {"evaluation"}, "the volume beside it is compared: the same body"),
    ("*_level", {"truth", "repeatability", "evaluation"}, NAMED + "; angles and slips are judged"),
    ("cobb_side", {"truth", "repeatability"}, NAMED),
    ("conus_level", {"picture"}, "the level beside the cord's lower end needs no picture"),
    ("genant_type", {"truth", "repeatability", "evaluation"}, NAMED + "; its ratios are judged"),
    ("short_vertebral_height", {"truth", "repeatability", "evaluation"}, "follows from two others"),
    ("presacral_vertebrae", {"truth", "repeatability", "evaluation", "picture"}, NAMED),
    ("enumeration_type", {"truth", "repeatability", "evaluation", "picture"}, NAMED),
]
"""(Measures, what they lack, why)."""


def excused(name, aspect):
    return any(fnmatch(name, pattern) and aspect in lacks for pattern, lacks, _ in EXCEPTIONS)


def test_pictures_of_definitions_stand_on_the_page_and_are_there():
    shown = set(
        re.findall(r"!\[[^\]]+\]\(pictures/(\w+)\.svg\)", (DOCS / "measures.md").read_text())
    )
    assert shown - {"sacrum"} == PICTURES.keys()  # the sacrum's corners belong to slips
    assert all((DOCS / "pictures" / f"{name}.svg").is_file() for name in shown)


@pytest.mark.parametrize(("table", "column"), MEASURES, ids=lambda v: getattr(v, "name", v))
def test_a_measure_has_everything_that_makes_it_one(table, column):
    name, figures = column.name, read_repeatability()[table].get(column.name, {})
    has = {
        "definition": bool(column.description and column.definition and column.source),
        "unit": column.kind != NUMBER or bool(column.units),
        "range": column.kind in (STRING, BOOLEAN) or column.interval is not None,
        "truth": "MeanAbsoluteError" in figures,
        "repeatability": "Difference95" in figures
        and (table == "scans" or "Difference95ByRegion" in figures),
        "picture": any(fnmatch(name, p) for patterns in PICTURES.values() for p in patterns),
        "evaluation": name in NAMES[table],
    }
    lacks = {aspect for aspect, there in has.items() if not there and not excused(name, aspect)}
    assert not lacks, f"{name} lacks {', '.join(sorted(lacks))}: add it, or say above why not"
    assert column.kind in (NUMBER, INTEGER, STRING, BOOLEAN)


def test_no_measure_is_excused_for_what_it_has():
    for pattern, lacks, reason in EXCEPTIONS:
        mine = [(table, c) for table, c in MEASURES if fnmatch(c.name, pattern)]
        assert mine and reason, pattern
        for aspect, there in (
            ("evaluation", all(c.name in NAMES[table] for table, c in mine)),
            ("truth", all("MeanAbsoluteError" in _figures(table, c) for table, c in mine)),
        ):
            assert not (aspect in lacks and there), f"{pattern} has {aspect}"


def _figures(table, column):
    return read_repeatability()[table].get(column.name, {})
