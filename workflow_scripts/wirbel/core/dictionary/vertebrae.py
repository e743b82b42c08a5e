"""The table of vertebrae: one row per presacral vertebra of a scan."""

from __future__ import annotations

from wirbel.core.dictionary.agreement import OF_VERTEBRAE
from wirbel.core.dictionary.column import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    PERCENT,
    SQUARE_MILLIMETRES,
    STRING,
    Column,
)
from wirbel.core.dictionary.shared import (
    BODY_CENTROID,
    CENTROID,
    IDENTITY,
    LABEL,
    LEVEL,
    LEVEL_NAMING,
    LEVEL_ORDER,
    MEASURED,
    OWN_AXIS,
    PART_IS_ZERO,
    SIGNAL,
    angle,
    centroid,
    complete,
    corrected_ratio,
    ratio,
    signal_ratio,
    size,
    status,
    surface_volume,
    volume,
)
from wirbel.core.dictionary.signals import MARROW
from wirbel.core.labels import (
    ARCUS,
    COSTAL_LEFT,
    COSTAL_RIGHT,
    INFERIOR_ARTICULAR_LEFT,
    INFERIOR_ARTICULAR_RIGHT,
    SPINOUS_PROCESS,
    SUBREGION_NAMES,
    SUPERIOR_ARTICULAR_LEFT,
    SUPERIOR_ARTICULAR_RIGHT,
)
from wirbel.core.measures import status as S
from wirbel.core.plausibility.level_sizes import (
    BODY_DEPTH_MM,
    BODY_HEIGHT_MM,
    BODY_VOLUME_MM3,
    BODY_WIDTH_MM,
    VERTEBRA_VOLUME_MM3,
)

SIX_POINT = (
    "six-point morphometry of Black et al., J Bone Miner Res 1991;6:883-892, "
    "with all points in the mid-sagittal plane"
)
GENANT = "Genant et al., J Bone Miner Res 1993;8:1137-1148"
COBB = "after Cobb, Instr Course Lect 1948;5:261-275"
SIZES = "after Panjabi et al., Spine 1991;16:888-901 (depth and width of the endplates)"
OUTLINE = (
    "by a superelliptic outline, waisted and hollow at the back, that is fitted to front, back and flanks "
    "of all slices at once"
)
BODY_MEASURED = (*MEASURED, S.NOT_DEFINED_FOR_C2)


def _height(name, which, percent) -> Column:
    return size(
        name,
        f"{which} height of the vertebral body",
        f"Distance along the vertebra's superior axis between the outer surfaces of its upper and lower "
        f"endplates at {percent} % of the depth (0 % is the back), in the mid-sagittal plane. {OWN_AXIS}",
        "height_status",
        BODY_HEIGHT_MM,
        SIX_POINT,
    )


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


def _concavity(name, which) -> Column:
    return size(
        name,
        f"Concavity of the {which} endplate",
        f"How far the middle of the {which} endplate lies within the line between its rims, 8 % of the depth from the "
        "back and from the front, in the mid-sagittal plane; negative where it bulges",
        "height_status",
        (-4.0, 15.0),
        "after Hurxthal, Am J Roentgenol 1968;103:635-644 (biconcavity of vertebral bodies)",
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


def _extent(depth, width, where) -> tuple[Column, Column]:
    return (
        size(
            depth,
            f"Depth (AP) of the vertebral body {where}",
            f"Distance from the back to the front {where} in the mid-sagittal plane, {OUTLINE}",
            "height_status",
            BODY_DEPTH_MM,
            SIZES,
        ),
        size(
            width,
            f"Width (RL) of the vertebral body {where}",
            f"Largest distance from left to right {where}, {OUTLINE}",
            "width_status",
            BODY_WIDTH_MM,
            SIZES,
        ),
    )


def _part(name, label, largest_mm3=8000.0) -> Column:
    """Return the column of a posterior element's volume; its range is wide: from a small C3 to a large man's L5."""
    what = SUBREGION_NAMES[label].replace("_", " ")
    interval = (0.0, largest_mm3)
    return volume(name, what, f"label {label}", "vertebra_status", interval, PART_IS_ZERO)


EXTENTS = [
    _extent("depth_upper_mm", "width_upper_mm", "at the upper endplate"),
    _extent("depth_middle_mm", "width_middle_mm", "half-way up"),
    _extent("depth_lower_mm", "width_lower_mm", "at the lower endplate"),
]

VERTEBRAE = (
    *IDENTITY,
    LABEL,
    LEVEL,
    LEVEL_ORDER,
    *LEVEL_NAMING,
    _height("height_anterior_mm", "Anterior", 85),
    _height("height_middle_mm", "Middle", 50),
    _height("height_posterior_mm", "Posterior", 15),
    *(depth for depth, _ in EXTENTS),
    angle(
        "wedge_angle_deg",
        "Angle between both endplates, sagittal",
        "Angle from the lower to the upper endplate in the mid-sagittal plane, positive when the body is higher "
        "in front. An endplate's line runs through its surface at 15 and 85 % of the depth",
        "height_status",
        (-45.0, 45.0),
        COBB,
    ),
    angle(
        "coronal_wedge_angle_deg",
        "Angle between both endplates, coronal",
        "Angle between planes fitted to the middle of both endplates, in the body's coronal plane, positive "
        "when the body is higher on the left",
        "width_status",
        (-30.0, 30.0),
        COBB,
    ),
    status(
        "height_status",
        "the measurement of heights, depths and angles",
        *BODY_MEASURED,
        S.FORM_ASSUMED,
    ),
    *(width for _, width in EXTENTS),
    status(
        "width_status",
        "the measurement of the widths and the coronal angle",
        *BODY_MEASURED,
        S.FORM_ASSUMED,
    ),
    Column(
        "body_area_mm2",
        NUMBER,
        "Cross-sectional area of the vertebral body half-way up",
        "Area at right angles to the superior axis inside the superelliptic outline of the widths and depths, "
        "half-way between "
        "the endplates, times the body's voxels in a slab of 5 mm there over those inside the outline",
        "after Panjabi et al., Spine 1992;17:299-306 (there of the endplates)",
        SQUARE_MILLIMETRES,
        (100.0, 3000.0),
        1,
        "body_area_status",
    ),
    status("body_area_status", "the cross-section of the body", *BODY_MEASURED, S.FORM_ASSUMED),
    ratio(
        "wedge_ratio",
        "Anterior over posterior height",
        "height_anterior_mm / height_posterior_mm",
        "height_status",
        (0.3, 1.6),
        SIX_POINT,
    ),
    ratio(
        "biconcavity_ratio",
        "Middle over posterior height",
        "height_middle_mm / height_posterior_mm",
        "height_status",
        (0.3, 1.4),
        SIX_POINT,
    ),
    ratio(
        "crush_ratio",
        "Posterior height over that of the neighbours",
        "height_posterior_mm over the mean of those of the vertebrae right above and below (or of the one that "
        "could be measured); neighbours whose own height or shape is not plausible (as in expected_height_mm) do "
        "not count",
        "crush_status",
        (0.3, 1.6),
        SIX_POINT,
    ),
    status("crush_status", "the comparison with the neighbours", *BODY_MEASURED, S.NO_NEIGHBOUR),
    _concavity("concavity_upper_mm", "upper"),
    _concavity("concavity_lower_mm", "lower"),
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
    signal_ratio(
        "body_to_csf_ratio",
        "vertebral body",
        3,
        "body_signal_status",
        "after the vertebral bone quality score of Ehresman et al., J Neurosurg Spine 2020, "
        "doi:10.3171/2019.9.SPINE19954: bodies over cerebrospinal fluid, there T1-weighted",
    ),
    status("body_signal_status", "the signal ratio", *SIGNAL),
    *corrected_ratio("body_to_csf_corrected_ratio", "body_corrected_status", "body_to_csf_ratio"),
    *MARROW,
    volume(
        "body_volume_mm3",
        "vertebral body without its endplates",
        "labels 49 and 50",
        "body_status",
        BODY_VOLUME_MM3,
    ),
    volume(
        "vertebra_volume_mm3",
        "whole vertebra without its endplates",
        "labels 41 to 50",
        "vertebra_status",
        VERTEBRA_VOLUME_MM3,
    ),
    _part("arcus_vertebrae_volume_mm3", ARCUS, 15000.0),
    _part("spinous_process_volume_mm3", SPINOUS_PROCESS, 12000.0),
    _part("costal_process_left_volume_mm3", COSTAL_LEFT),
    _part("costal_process_right_volume_mm3", COSTAL_RIGHT),
    _part("superior_articular_process_left_volume_mm3", SUPERIOR_ARTICULAR_LEFT),
    _part("superior_articular_process_right_volume_mm3", SUPERIOR_ARTICULAR_RIGHT),
    _part("inferior_articular_process_left_volume_mm3", INFERIOR_ARTICULAR_LEFT),
    _part("inferior_articular_process_right_volume_mm3", INFERIOR_ARTICULAR_RIGHT),
    surface_volume(
        "body_surface_volume_mm3",
        "vertebral body without its endplates",
        "width_status",
        BODY_VOLUME_MM3,
    ),
    *centroid(CENTROID, "whole vertebra", "vertebra_status"),
    *centroid(BODY_CENTROID, "vertebral body", "body_status"),
    status("body_status", "the vertebral body", S.OK, S.TOUCHES_BORDER, S.PARTLY_SEEN, S.ABSENT),
    status("vertebra_status", "the vertebra", S.OK, S.TOUCHES_BORDER, S.PARTLY_SEEN),
    complete(
        "the whole vertebra",
        "true when body_status and vertebra_status are ok: neither the body nor a process reaches the border of the "
        "scan. For body_volume_mm3 alone body_status is enough",
    ),
    *OF_VERTEBRAE,
)
