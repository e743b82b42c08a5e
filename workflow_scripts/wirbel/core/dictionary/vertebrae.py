"""The table of vertebrae: one row per presacral vertebra of a scan."""

from __future__ import annotations

from wirbel.core.dictionary.column import NUMBER, SQUARE_MILLIMETRES, Column
from wirbel.core.dictionary.families import (
    BODY_CENTROID,
    CENTROID,
    PART_IS_ZERO,
    angle,
    centroid,
    ratio,
    size,
    status,
    surface_volume,
    volume,
)
from wirbel.core.dictionary.shared import IDENTITY, LABEL, LEVEL, LEVEL_ORDER, OWN_AXIS, complete
from wirbel.core.dictionary.topics import agreement, fractures
from wirbel.core.dictionary.topics.naming import LEVEL_NAMING
from wirbel.core.dictionary.topics.signals import MARROW, SIGNAL, corrected_ratio, signal_ratio
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
COBB = "after Cobb, Instr Course Lect 1948;5:261-275"
SIZES = "after Panjabi et al., Spine 1991;16:888-901 (depth and width of the endplates)"
OUTLINE = (
    "by a superelliptic outline, waisted and hollow at the back, that is fitted to front, back and flanks "
    "of all slices at once"
)


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
        *fractures.BODY_MEASURED,
        S.FORM_ASSUMED,
    ),
    *(width for _, width in EXTENTS),
    status(
        "width_status",
        "the measurement of the widths and the coronal angle",
        *fractures.BODY_MEASURED,
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
    status(
        "body_area_status",
        "the cross-section of the body",
        *fractures.BODY_MEASURED,
        S.FORM_ASSUMED,
    ),
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
    status(
        "crush_status",
        "the comparison with the neighbours",
        *fractures.BODY_MEASURED,
        S.NO_NEIGHBOUR,
    ),
    _concavity("concavity_upper_mm", "upper"),
    _concavity("concavity_lower_mm", "lower"),
    *fractures.OF_VERTEBRAE,
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
    *agreement.OF_VERTEBRAE,
)
