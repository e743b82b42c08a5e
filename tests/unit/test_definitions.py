"""Numbers in the dictionaries' definitions are those of the constants that the code computes with."""

import re
from inspect import signature

import pytest

from wirbel.core.dictionary import MEASURED, TABLES
from wirbel.core.labels import LEVEL_NAMES
from wirbel.core.levels import certainty, naming
from wirbel.core.measures import discs, vertebrae
from wirbel.core.measures.cord import compression, conus, narrowest, sections
from wirbel.core.measures.curvature import coronal, slips
from wirbel.core.measures.fractures import expected, grades
from wirbel.core.measures.quality import ghosts, slices, tissue
from wirbel.core.measures.shape import (
    bulge,
    corners,
    cross_section,
    endplates,
    foramen,
    joint,
    rims,
)
from wirbel.core.measures.shape.surfaces import Block
from wirbel.core.measures.signal import discs as zones
from wirbel.core.measures.signal import marrow, signals
from wirbel.core.plausibility import scan_flags, scores
from wirbel.core.plausibility.whole import canal, cords, curves, directions, shapes, sizes

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
SURE = f"{scan_flags.SURE_MARGIN:g} with instance_agreement below {scan_flags.LOW_INSTANCE:g}"
RIMS = "at {:.0f} and {:.0f} % of the depth".format(*(100 * at for at in endplates.RIM_FRACTIONS))
POSITIONS = signature(Block.mean_height).parameters["steps"].default
MAD = f"{scores.MAD_TO_SD:g} (x - median) / MAD, or (x - median) / ({scores.MEAN_DEVIATION_TO_SD:.7g} mean"
LONG, USUAL, SHORT = directions.TILT_DEG
WIDE = shapes.WIDTH_OVER_DEPTH
SECTION = f"the mean over {2 * sections.SLAB_MM:g} mm along the canal's smoothed centreline"
GHOSTS = {
    "ghosts_front_back_percent": f"Above {scan_flags.GHOSTS_FRONT_BACK:g} the scan",
    "ghosts_along_spine_percent": f"Above {scan_flags.GHOSTS_ALONG_SPINE:g} the scan",
}
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
    ("scans", "conus_level", f"the cord's area is {conus.LEAST_CORD_MM2:g} mm2 or more"),
    ("scans", "conus_level", f"larger than {conus.LARGEST_CORD_MM2:g} mm2 somewhere"),
    ("scans", "conus_level", f"goes on below {LEVEL_NAMES[conus.LOWEST_CONUS]}"),
    ("scans", "level_alternative", f"no other has {100 * certainty.LEAST_ALTERNATIVE:g} %"),
    ("scans", "parts_set_aside", f"at least {naming.SMALLEST_BODY_MM3 / 1000:g} ml"),
    ("scans", "cobb_second_angle_deg", f"Below {coronal.LEAST_DEG:g} degrees it is no curve"),
    ("scans", "outlier_columns", f"an absolute score above {scores.OUTLIER_SCORE:g}"),
    ("scans", "outlier_columns", f"in groups of at least {scores.MINIMUM_GROUP}"),
    ("scans", "outlier_columns", MAD),
    ("scans", "flags", f"{canal.CLOSEST_MM:g} to {canal.FARTHEST_MM:g} mm from its centre"),
    (
        "scans",
        "flags",
        f"more than {USUAL[1]:g} degrees ({LONG[1]:g} where {LONG[0]:g} mm and more",
    ),
    ("scans", "flags", f"{SHORT[1]:g} where less than {USUAL[0]:g} mm are"),
    ("scans", "flags", "less than {:g} or more than {:g} times as wide".format(*WIDE)),
    ("scans", "flags", "{:g} times as high, or {:g} times as wide or".format(*shapes.LARGEST[:2])),
    ("scans", "flags", f"more than {cords.LEAK_ML:g} ml of the canal"),
    ("scans", "flags", f"farther than {cords.FARTHEST_MM:g} mm from the middle"),
    ("scans", "flags", f"shows none over {cords.GAP_MM:g} mm and more"),
    ("scans", "flags", f"by more than {curves.STEP_OF_DEPTH:g} of its depth"),
    ("scans", "flags", f"less than {sizes.CLOSEST:g} or more than {sizes.FARTHEST:g} times"),
    *(("scans", name, text) for name, text in GHOSTS.items()),
    ("scans", "ghosts_front_back_percent", f"shifts of {ghosts.NEAREST_MM:g} mm and more"),
    ("scans", "ghosts_front_back_percent", f"(deeper than {tissue.MARGIN_MM:g} mm in"),
    ("scans", "ghosts_front_back_percent", f"its own mean over {ghosts.EDGE_MM:g} mm"),
    ("scans", "signal_to_noise_ratio", f"bodies deeper than {tissue.MARGIN_MM:g} mm"),
    ("scans", "signal_to_noise_ratio", f"noise there: {marrow.MAD_TO_SD:g} * median"),
    ("scans", "signal_to_noise_ratio", f"of the slices / {marrow.KERNEL_GAIN:g}."),
    ("scans", "signal_to_noise_ratio", f"Below {scan_flags.LOWEST_SNR:g} the scan"),
    ("scans", "slice_shift_mm", f"{slices.AROUND_MM:g} mm around the spine"),
    ("scans", "slice_shift_mm", f"Above {scan_flags.SHIFTED_SLICES_MM:g} the scan"),
    ("scans", "flags", f"less than {scan_flags.LOWEST_SNR:g} times the noise"),
    (
        "scans",
        "flags",
        f"more than {scan_flags.GHOSTS_FRONT_BACK:g} % along the front-back axis or "
        f"{scan_flags.GHOSTS_ALONG_SPINE:g} % along the spine, or every other slice lies "
        f"{scan_flags.SHIFTED_SLICES_MM:g} mm and more",
    ),
    ("vertebrae", "wedge_angle_deg", RIMS),
    ("vertebrae", "body_area_mm2", f"a slab of {2 * cross_section.SLAB_MM:g} mm"),
    (
        "vertebrae",
        "corner_height_posterior_mm",
        f"{100 * rims.CORNER_INSET:g} % of the depth from the back",
    ),
    (
        "vertebrae",
        "body_heterogeneity_percent",
        f"the signals deeper than {signals.BODY_MARGIN_MM:g} mm",
    ),
    ("vertebrae", "low_agreement", f"below {scan_flags.LOW_MARGIN:g}, or below {SURE}"),
    ("discs", "low_agreement", f"semantic_margin below {scan_flags.LOW_MARGIN:g}"),
    ("discs", "disc_height_mm", f"the mean of {POSITIONS} positions"),
    ("discs", "disc_wedge_angle_deg", RIMS),
    (
        "discs",
        "slip_mm",
        f"fitted {corners.NEAREST_MM:g} to {corners.FURTHEST_MM:g} mm from the disc",
    ),
    ("discs", "nucleus_to_csf_ratio", f"Voxels deeper than {zones.MARGIN_MM:g} mm in the disc"),
]
NO_CONSTANT = re.compile(
    r"""
    \b[CTLS]\d+\b                              # levels
    | labels?\ [\d, andto]+ | plus\ 100         # numbers of the maps
    | 1-7\ .*20-25 | 1\ C1.*26                  # levels and their numbers
    | _mm[23]?\b | T2w?\b | vbq_t2 | T1-weighted | not_t2w | RAS\+
    | \(0\ %\ is\ the\ back\) | above\ 0\b | at\ least\ [01]\b | at\ most\ 1\b | [01]\ when | is\ 0\b
    | are\ 0\b | as\ if\ its\ pixdim\[0\]\ were\ 1 | towards\ 0 | 0\ otherwise | 1:\ (they|no)\b
    | 100\ \* | \(1\ -\ | /\ 24 | /\ 2\b | 24\ in\ most | from\ 0\ to\ 1,
    | \(counted\ on.*\)\.\ With              # figures of the calibration, written by their benchmark
    | values\ lie\ between\ 2\ and\ 4 | correlation.*not\ seen(,\ -0.\d+)?  # results of others, and of a benchmark
    | The\ limit\ of\ 5\ %.*1072-1078 | \(Immerkaer\ 1996\)
    """,
    re.VERBOSE,
)
"""Numbers that no constant holds: names, ends of a scale, formulas, figures from elsewhere."""


def test_every_number_in_a_definition_is_among_these_phrases():
    phrases = sorted({phrase for *_, phrase in PHRASES}, key=len, reverse=True)
    left = {}
    for key, text in DEFINITIONS.items():
        for phrase in phrases:
            text = text.replace(phrase, "")
        text = NO_CONSTANT.sub("", text)
        if re.search(r"\d", text):
            left[key] = text
    assert left == {}


@pytest.mark.parametrize(("table", "name", "phrase"), PHRASES, ids=lambda value: value[:40])
def test_a_definition_quotes_the_number_that_is_computed_with(table, name, phrase):
    assert phrase in DEFINITIONS[table, name]
