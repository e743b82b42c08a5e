"""The table of discs: one row per intervertebral disc of a scan."""

from __future__ import annotations

from wirbel.core.dictionary.column import (
    INTEGER,
    NUMBER,
    PERCENT,
    SQUARE_MILLIMETRES,
    STRING,
    Column,
)
from wirbel.core.dictionary.families import (
    CENTROID,
    MEASURED,
    angle,
    centroid,
    ratio,
    size,
    status,
    surface_volume,
    volume,
)
from wirbel.core.dictionary.shared import IDENTITY, LEVEL_ORDER, OWN_AXIS, complete
from wirbel.core.dictionary.topics import agreement
from wirbel.core.dictionary.topics.naming import LEVEL_NAMING
from wirbel.core.dictionary.topics.signals import NUCLEUS, SIGNAL, corrected_ratio, signal_ratio
from wirbel.core.measures import status as S
from wirbel.core.plausibility.level_sizes import DISC_DEPTH_MM, DISC_HEIGHTS_MM, DISC_VOLUME_MM3

FROBIN = "after Frobin et al., Clin Biomech 1997;12 Suppl 1:S1-S63"
FORAMINA = (
    ("left", "foramen_height_left_mm", "foramen_left_status"),
    ("right", "foramen_height_right_mm", "foramen_right_status"),
)
MEYERDING = "Meyerding, Surg Gynecol Obstet 1932;54:371-377"


def _disc_height(name, which, definition) -> Column:
    return size(
        name,
        f"{which} height of the disc",
        f"{definition}, along the disc's superior axis in its mid-sagittal plane, from the endplate above "
        f"to the endplate below. {OWN_AXIS}",
        "disc_height_status",
        DISC_HEIGHTS_MM,
        FROBIN,
    )


DISCS = (
    *IDENTITY,
    Column(
        "label_above",
        INTEGER,
        "Number of the vertebra above in the vertebra map",
        "The disc itself carries this number plus 100",
    ),
    Column("level", STRING, "Level of the disc", "The vertebrae above and below, such as L5-S1"),
    LEVEL_ORDER,
    *LEVEL_NAMING,
    _disc_height(
        "disc_height_mm",
        "Mean",
        "Mean height over the middle half of the depth, the mean of 11 positions",
    ),
    _disc_height(
        "disc_height_anterior_mm", "Anterior", "Height at 85 % of the depth (0 % is the back)"
    ),
    _disc_height("disc_height_middle_mm", "Middle", "Height at 50 % of the depth"),
    _disc_height(
        "disc_height_posterior_mm", "Posterior", "Height at 15 % of the depth (0 % is the back)"
    ),
    size(
        "disc_depth_mm",
        "Depth (AP) of the disc",
        "Distance from the back to the front in the mid-sagittal plane, by a superelliptic outline fitted to "
        "all slices at once",
        "disc_height_status",
        DISC_DEPTH_MM,
    ),
    Column(
        "disc_area_mm2",
        NUMBER,
        "Mid-sagittal area of the disc",
        "disc_depth_mm times the mean of 19 heights evenly spaced over the depth",
        units=SQUARE_MILLIMETRES,
        interval=(20.0, 900.0),
        decimals=1,
        status="disc_height_status",
    ),
    angle(
        "disc_wedge_angle_deg",
        "Angle between the endplates that face the disc",
        "Angle from the lower to the upper face in the mid-sagittal plane, positive when the disc is higher in "
        "front. A face's line runs through its surface at 15 and 85 % of the depth",
        "disc_height_status",
        (-25.0, 40.0),
        "after Cobb, Instr Course Lect 1948;5:261-275",
    ),
    status(
        "disc_height_status",
        "the measurement of heights, depth and angle",
        *MEASURED,
        S.FORM_ASSUMED,
    ),
    size(
        "disc_width_mm",
        "Width (RL) of the disc",
        "Largest distance from left to right, by the outline of disc_depth_mm",
        "disc_width_status",
        (8.0, 75.0),
    ),
    status("disc_width_status", "the measurement of the width", *MEASURED, S.FORM_ASSUMED),
    ratio(
        "disc_height_index",
        "Disc height index (DHI)",
        "disc_height_mm over the mean of height_middle_mm of the vertebrae above and below (of the one that "
        "could be measured; of the one above for the disc on the sacrum)",
        "disc_index_status",
        (0.03, 1.0),
        "after Masuda et al., Spine 2005;30:5-14 (mean disc height over adjacent body height)",
    ),
    ratio(
        "disc_area_index",
        "Disc area index (DAIL)",
        "disc_area_mm2 over the mean of the squares of depth_middle_mm of the vertebrae above and below (of "
        "the one that could be measured; of the one above for the disc on the sacrum)",
        "disc_index_status",
        (0.02, 1.0),
        "Disc Area Index for Lumbar spine of Wang et al., bioRxiv 2017, doi:10.1101/139402; here at all levels",
    ),
    status("disc_index_status", "the comparison with the vertebrae", *MEASURED, S.NO_NEIGHBOUR),
    size(
        "slip_mm",
        "Slip of the vertebra above on the one below",
        "Distance along the upper endplate of the vertebra below from its back corner to the back corner of the "
        "lower endplate of the vertebra above, forward positive. Corners of C2 and of the sacrum lie where lines "
        "along the bone's walls, fitted 3 to 13 mm from the disc in the mid-sagittal slab, meet the disc's face",
        "slip_status",
        (-15.0, 30.0),
        MEYERDING,
    ),
    ratio(
        "slip_percent",
        "Slip over the depth of the endplate below",
        "100 * slip_mm / depth of the upper endplate of the vertebra below",
        "slip_status",
        (-50.0, 100.0),
        MEYERDING,
        PERCENT,
    ),
    Column(
        "meyerding_grade",
        INTEGER,
        "Grade of the slip, forward or backward",
        "By the size of slip_percent: 0 below 5 %, 1 from 5 %, 2 from 25 %, 3 from 50 %, 4 from 75 %, 5 from "
        "100 %. The limit of 5 % is that of Denard et al., Spine 2010;35:1072-1078",
        MEYERDING,
        interval=(0, 5),
        status="slip_status",
    ),
    status(
        "slip_status",
        "the measurement of the slip",
        *MEASURED,
        S.NO_NEIGHBOUR,
    ),
    size(
        "posterior_bulge_mm",
        "How far the disc reaches back beyond the line of the endplates",
        "Largest distance of the disc's back, in the mid-sagittal slab, from the line between the lower back "
        "corner of the "
        "vertebra above and the upper back corner of the one below (corners as for slip_mm), backwards positive; "
        "the back is "
        "a parabola fitted to the middle 70 % of that line. A bulge of all discs' usual convexity counts as "
        "well; what lies "
        "to one side of the central third of the width is not seen",
        "bulge_status",
        (-6.0, 15.0),
        "after Fardon et al., Spine J 2014;14:2525-2545 (beyond the edges of the ring apophyses)",
    ),
    status("bulge_status", "the measurement of the bulge", *MEASURED, S.NO_NEIGHBOUR),
    *(
        size(
            name,
            f"Height of the {side} intervertebral foramen",
            "Distance along the disc's superior axis from the lower edge of the labelled pedicle above to the "
            "upper edge of "
            "the one below: medians of the arch's ends 0.5 to 8 mm behind the back walls, in the slices where "
            "the pedicle is "
            "at least 85 % as high as where it is highest. Between lumbar vertebrae only: in the neck the "
            "foramen opens "
            "obliquely, in the thorax a pedicle shows in one or two slices, and the sacrum has no pedicle. Label "
            "maps draw "
            "pedicles without their dark cortex: foramina read a few mm higher than between the bones",
            state,
            (5.0, 35.0),
            "Hasegawa et al., J Bone Joint Surg Am 1995;77:32-38 (lumbar foraminal height, from pedicle to pedicle)",
        )
        for side, name, state in FORAMINA
    ),
    *(
        status(
            state,
            f"the measurement of the {side} foramen",
            *MEASURED,
            S.NO_NEIGHBOUR,
            S.NOT_DEFINED_AT_LEVEL,
        )
        for side, _, state in FORAMINA
    ),
    angle(
        "segment_angle_deg",
        "Angle of the segment, supine",
        "Angle from the lower endplate of the vertebra below (on the sacrum, from the sacrum's endplate) to "
        "the upper endplate of the vertebra above, in the mid-sagittal plane of that vertebra, positive when it "
        "opens forwards (lordosis)",
        "segment_status",
        (-45.0, 60.0),
        "after Cobb, Instr Course Lect 1948;5:261-275",
    ),
    status(
        "segment_status",
        "the measurement of the segment",
        *MEASURED,
        S.NO_NEIGHBOUR,
        S.NOT_DEFINED_FOR_C2,
    ),
    signal_ratio(
        "disc_to_csf_ratio",
        "disc",
        1.5,
        "disc_signal_status",
        "after Salamat et al., SpringerPlus 2016;5:829",
    ),
    status("disc_signal_status", "the signal ratio", *SIGNAL),
    *corrected_ratio("disc_to_csf_corrected_ratio", "disc_corrected_status", "disc_to_csf_ratio"),
    *NUCLEUS,
    volume("disc_volume_mm3", "intervertebral disc", "label 100", "disc_status", DISC_VOLUME_MM3),
    surface_volume(
        "disc_surface_volume_mm3", "intervertebral disc", "disc_width_status", DISC_VOLUME_MM3
    ),
    *centroid(CENTROID, "disc", "disc_status"),
    status("disc_status", "the disc", S.OK, S.TOUCHES_BORDER, S.PARTLY_SEEN),
    complete("the disc", "true when disc_status is ok"),
    *agreement.OF_DISCS,
)
