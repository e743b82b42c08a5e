"""Numbers in the dictionaries' definitions are those of the constants that the code computes with."""

import pytest

from wirbel.core.dictionary import MEASURED, TABLES
from wirbel.core.labels import LEVEL_NAMES
from wirbel.core.measures import discs, vertebrae
from wirbel.core.measures.cord import compression, narrowest, sections
from wirbel.core.measures.curvature import coronal, slips
from wirbel.core.measures.fractures import expected, grades
from wirbel.core.measures.shape import bulge, foramen, joint, rims
from wirbel.core.measures.signal import discs as zones
from wirbel.core.measures.signal import marrow, signals

DEFINITIONS = {(t, column.name): column.definition for t in MEASURED for column in TABLES[t]}
DEPTH = {
    name: f"at {100 * part:g} % of the depth"
    for name, part in vertebrae.SIX_POINT_FRACTIONS.items()
}
GENANT, SLIP = grades.GENANT_LIMITS, slips.MEYERDING_LIMITS
NECK, LOINS = joint.STENOSIS_LIMITS_MM["C"], joint.STENOSIS_LIMITS_MM["L"]
FLUID = f"deeper than {signals.CSF_MARGIN_MM:g} mm, within {signals.CSF_REACH_MM:g} mm"
NUCLEUS = [100 * part for part in zones.NUCLEUS_DEPTH]
ZONES = f"Nucleus: {NUCLEUS[0]:g} to {NUCLEUS[1]:g} % of the depth; annulus: the outer {100 * zones.ANNULUS_DEPTH:g} %"
SECTION = f"the mean over {2 * sections.SLAB_MM:g} mm along the canal's smoothed centreline"
PHRASES = [
    *(("vertebrae", f"height_{name}_mm", text) for name, text in DEPTH.items()),
    (
        "vertebrae",
        "corner_height_anterior_mm",
        f"{100 * rims.CORNER_INSET:g} % of the depth from the front",
    ),
    ("vertebrae", "corner_height_anterior_mm", f"the rounded edges ({rims.ROUNDED_MM:g} mm)"),
    (
        "vertebrae",
        "corner_height_anterior_mm",
        f"the nearest {100 * rims.CORNER_WINDOW:g} % of the depth",
    ),
    ("vertebrae", "concavity_upper_mm", f"its rims, {100 * rims.RIM:g} % of the depth"),
    (
        "vertebrae",
        "genant_grade",
        f"0 below {GENANT[0]:g} %, 1 from {GENANT[0]:g} %, 2 from {GENANT[1]:g} %",
    ),
    ("vertebrae", "genant_grade", f"3 from {GENANT[2]:g} %"),
    ("vertebrae", "corner_wedge_ratio", f"less than {100 * grades.INTACT:g} % of that"),
    ("vertebrae", "short_vertebral_height", f"by {100 * grades.ENDPLATE_CHANGE:g} % of that mean"),
    ("vertebrae", "expected_height_mm", f"(a ratio below {expected.PLAUSIBLE_SHAPE:g})"),
    (
        "vertebrae",
        "expected_height_mm",
        f"{100 * expected.LARGEST_SCATTER * expected.SCATTER:.0f} % off the line",
    ),
    ("vertebrae", "body_to_csf_ratio", f"deeper than {signals.BODY_MARGIN_MM:g} mm over"),
    ("vertebrae", "body_to_csf_ratio", FLUID),
    ("vertebrae", "body_heterogeneity_percent", f"100 * {marrow.MAD_TO_SD:g} MAD"),
    ("vertebrae", "body_heterogeneity_percent", f"each the mean over {marrow.SMOOTH_MM:g} mm"),
    ("vertebrae", "body_heterogeneity_percent", f"{marrow.VEIN:g} spreads from the rest"),
    ("discs", "disc_to_csf_ratio", f"deeper than {signals.DISC_MARGIN_MM:g} mm over"),
    ("discs", "disc_to_csf_ratio", FLUID),
    ("discs", "disc_area_mm2", f"the mean of {len(discs.AREA_FRACTIONS)} heights"),
    ("discs", "nucleus_to_csf_ratio", ZONES),
    ("discs", "disc_heterogeneity", "{1}th less {0}th percentile".format(*zones.PERCENTILES)),
    (
        "discs",
        "meyerding_grade",
        f"0 below {SLIP[0]:g} %, 1 from {SLIP[0]:g} %, 2 from {SLIP[1]:g} %",
    ),
    (
        "discs",
        "meyerding_grade",
        f"3 from {SLIP[2]:g} %, 4 from {SLIP[3]:g} %, 5 from {SLIP[4]:g} %",
    ),
    (
        "discs",
        "posterior_bulge_mm",
        f"the middle {100 * (bulge.SPAN[1] - bulge.SPAN[0]):.0f} % of that line",
    ),
    (
        "discs",
        "foramen_height_left_mm",
        "{:g} to {:g} mm behind the back walls".format(*foramen.BEHIND_MM),
    ),
    ("discs", "foramen_height_left_mm", f"at least {100 * foramen.TALL:g} % as high"),
    ("levels", "canal_area_body_mm2", SECTION),
    ("levels", "cord_ap_disc_mm", f"the central {sections.CENTRAL_MM:g} mm of the width"),
    ("levels", "canal_area_min_mm2", f"within {narrowest.KERNEL_MM:g} mm up and down"),
    ("levels", "cord_compression_percent", f"C2 to {LEVEL_NAMES[compression.LOWEST]}"),
    ("levels", "stenosis_grade", f"cervical 1 below {NECK[0]:g} mm, 2 below {NECK[1]:g} mm"),
    (
        "levels",
        "stenosis_grade",
        f"lumbar 1 below {LOINS[0]:g} mm (relative stenosis), 2 below {LOINS[1]:g} mm",
    ),
    ("levels", "torg_pavlov_ratio", f"{joint.TORG_LEVELS[0]} to {joint.TORG_LEVELS[-1]}"),
    ("scans", "cobb_side", f"only from {coronal.LEAST_DEG:g} degrees"),
    ("scans", "cobb_angle_deg", f"below {coronal.LEAST_DEG:g} degrees it is no scoliosis"),
    ("scans", "vbq_t2_to_csf_ratio", "{}, {}, {} and {}".format(*marrow.VBQ_LEVELS)),
    ("scans", "vbq_t2_to_csf_ratio", f"(deeper than {signals.BODY_MARGIN_MM:g} mm)"),
    (
        "scans",
        "vbq_t2_to_csf_ratio",
        f"at the height of {marrow.FLUID_LEVEL} (deeper than {signals.CSF_MARGIN_MM:g} mm)",
    ),
]


@pytest.mark.parametrize(("table", "name", "phrase"), PHRASES, ids=lambda value: value[:40])
def test_a_definition_quotes_the_number_that_is_computed_with(table, name, phrase):
    assert phrase in DEFINITIONS[table, name]
