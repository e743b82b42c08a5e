"""The columns of fractures by measurement: corner heights, their ratios, and grades, of vertebrae and of scans."""

from __future__ import annotations

from wirbel.core.dictionary.column import BOOLEAN, INTEGER, PERCENT, STRING, Column
from wirbel.core.dictionary.families import MEASURED, ratio, size, status
from wirbel.core.measures import status as S

GENANT = "Genant et al., J Bone Miner Res 1993;8:1137-1148"
PARTIAL = (
    "of the graded vertebrae only when deformity_status is not_in_view: then not all from T4 to L4 could be graded. By "
    "measurement alone"
)
BODY_MEASURED = (*MEASURED, S.NOT_DEFINED_FOR_C2)


def _corner_height(name, which, where, like) -> Column:
    return size(
        name,
        f"{which} height of the vertebral body at the rim",
        f"As {like}, but 3 % of the depth from the {where}, where a parabola along the depth leads that "
        "leaves out the rounded edges (0.8 mm) and follows the surface over the nearest 40 % of the depth: the heights "
        "that fracture grades are defined by",
        "height_status",
        (4.0, 45.0),
        GENANT,
    )


def _corner_ratio(name, what, above) -> Column:
    return ratio(
        name,
        what,
        f"{above} over corner_height_posterior_mm, or over expected_height_mm where the posterior height is less than "
        "94 % of that and so itself lost",
        "corner_status",
        (0.3, 1.6),
        GENANT,
    )


OF_VERTEBRAE = (
    _corner_height("corner_height_anterior_mm", "Anterior", "front", "height_anterior_mm"),
    _corner_height("corner_height_posterior_mm", "Posterior", "back", "height_posterior_mm"),
    size(
        "expected_height_mm",
        "Posterior height at the rim that the scan's other vertebrae predict",
        "Usual height of the level (means of adults) times what a line along the spine gives there that is fitted "
        "to the other vertebrae's corner_height_posterior_mm over theirs (logarithms, robust regression: biweights "
        "that are 0 beyond 11 % off the line), plus what near ones stray from it. Wedged and biconcave ones (a ratio "
        "below 0.8) hardly count; fractured, merged and half-labelled ones lie off the line and do not count; at "
        "least one has to",
        "corner_status",
        (5.0, 45.0),
        "usual heights: Panjabi et al., Spine 1991;16:861-869, 16:888-901, 1992;17:299-306; Busscher et al., Eur "
        "Spine J 2010;19:1104-1114",
    ),
    _corner_ratio(
        "corner_wedge_ratio", "Anterior corner height over posterior", "corner_height_anterior_mm"
    ),
    _corner_ratio(
        "corner_biconcavity_ratio", "Middle height over posterior corner height", "height_middle_mm"
    ),
    ratio(
        "corner_crush_ratio",
        "Posterior corner height over the expected one",
        "corner_height_posterior_mm / expected_height_mm",
        "corner_status",
        (0.3, 1.6),
        GENANT,
    ),
    status("corner_status", "the comparison of corner heights", *BODY_MEASURED, S.NO_NEIGHBOUR),
    ratio(
        "height_loss_percent",
        "Largest height loss",
        "100 * (1 - the smallest of corner_wedge_ratio, corner_biconcavity_ratio and corner_crush_ratio), at least 0; "
        "T4 to L4",
        "genant_status",
        (0.0, 80.0),
        GENANT,
        PERCENT,
    ),
    Column(
        "genant_grade",
        INTEGER,
        "Grade of deformity by height loss",
        "0 below 20 %, 1 from 20 %, 2 from 25 %, 3 from 40 % of height_loss_percent. By measurement alone: "
        "normal variants, Scheuermann's disease and old deformities are not told from fractures",
        GENANT,
        interval=(0, 3),
        status="genant_status",
    ),
    Column(
        "genant_type",
        STRING,
        "Which ratio is the smallest",
        "Of the deformity when genant_grade is above 0",
        GENANT,
        codes={
            "none": "grade 0",
            "wedge": "the front is lower than the back",
            "biconcave": "the middle is lower than the back",
            "crush": "the back is lower than expected",
        },
        status="genant_status",
    ),
    Column(
        "short_vertebral_height",
        BOOLEAN,
        "Whether height is lost without a change of the endplates",
        "True when genant_grade is above 0 and the middle is not lower against the mean of both corner heights "
        "than in the scan's plausible vertebrae, by 5 % of that mean: low vertebrae whose endplates do not dip are "
        "often variants, not fractures",
        "Ferrar et al., Osteoporos Int 2007;18:35-46 (short vertebral height)",
        status="genant_status",
    ),
    status(
        "genant_status",
        "the grading",
        *BODY_MEASURED,
        S.NO_NEIGHBOUR,
        S.NOT_DEFINED_AT_LEVEL,
    ),
)
OF_SCANS = (
    Column(
        "vertebrae_graded",
        INTEGER,
        "Number of vertebrae with a grade of deformity",
        "Vertebrae from T4 to L4 whose genant_status is ok",
        GENANT,
        interval=(0, 14),
        status="scan_status",
    ),
    Column(
        "fracture_count",
        INTEGER,
        "Number of vertebrae with a deformity",
        f"Vertebrae whose genant_grade is above 0; {PARTIAL}",
        GENANT,
        interval=(0, 14),
        status="deformity_status",
    ),
    Column(
        "spinal_deformity_index",
        INTEGER,
        "Spinal deformity index",
        f"Sum of genant_grade; {PARTIAL}",
        "Crans et al., Bone 2005;37:175-179",
        interval=(0, 42),
        status="deformity_status",
    ),
    status("deformity_status", "the grading from T4 to L4", S.OK, S.NOT_IN_VIEW),
)
