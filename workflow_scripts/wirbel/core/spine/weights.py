"""What every property of a spine counts for in the decision: log likelihoods, means and spreads, with their sources."""

from __future__ import annotations

import numpy as np

from wirbel.core.spine.states import LABELS, SACRAL, STATES

SCALES = np.exp(np.linspace(-0.26, 0.34, 9))
"""A person's heights over the mean ones."""
_SPREAD_OF_SCALE, MEAN_SCALE = 0.10, 1.05
LOG_SCALES = -0.5 * ((np.log(SCALES) - np.log(MEAN_SCALE)) / _SPREAD_OF_SCALE) ** 2
LOG_SCALES = LOG_SCALES - np.log(np.exp(LOG_SCALES).sum())
"""Prior of a person's scale: 10 % (Panjabi 1991, 1992), larger in the living than in dried bones."""

HAS_DENS = np.array(STATES) == "C2"
SPREAD_HEIGHT, SPREAD_ACROSS = np.where(HAS_DENS, 0.08, 0.12)[:, None], 0.16
"""Standard deviation of a body's log height about the person's own scale (that of C2 with its dens is 7 %, Yousuf
et al. 2022), and of log depth and width about the mean."""
USUAL_KNEE, LONG_KNEE = 1.6, 4.0
"""Standard deviations above the mean from which a height is an outlier; of C2 there is hardly any: with its dens it is
at most 46 mm long, with C3 more than 50."""
SHARED_GROWTH = 0.7
"""Of a person's larger or smaller heights, this part shows in depths and widths as well."""
TEMPER = 0.5
"""Weight of sizes in telling levels apart: errors of neighbouring bodies in one scan are alike, not independent."""
LEVEL_NUMBER = np.where(LABELS == 28, 19.6, LABELS) + np.cumsum(SACRAL) * SACRAL
"""Place of every state along the spine, C2 = 2 ... L1 = 20."""
CONUS_NUMBER, CONUS_SPREAD = 20.2, 0.9
"""End of the cord: lower third of L1, standard deviation 0.8 vertebrae (Saifuddin et al., Spine 1998;23:1452)."""
CONUS_MARGIN_MM = 30.0
"""Canal that must be seen beyond the cord's end before the end counts as the conus."""

MOST_MISSING = 6
LOG_MISSING, LOG_FURTHER = -4.0, -1.5
"""A vertebra that the networks miss between two others; once one is missed, its neighbour may be as well."""
LOG_NO_DISC, LOG_DISC_TOO_MANY, LOG_DISC_INSIDE = -2.2, -1.5, -5.0
"""Between two neighbours no disc was found (fused, or missed); more than one was; a disc lies inside one body."""
BAND_MM, LOG_GAP_PER_MM, MOST_GAP_MM = 3.0, -0.6, 10.0
"""Pieces of one body lie a dark band apart, those of two a disc (5 mm and more)."""
LOG_PIECE = -1.0
"""For every further piece of one body."""
DENS_TAPER, LOG_NO_DENS = 0.8, -3.0
"""Upper over lower cross-section: dens 11 x 10 mm on a body of 15 x 17 mm (Gosavi and Swamy 2012; Panjabi 1991)
gives 0.4 to 0.6, a body without dens, or several above one another, about 1."""
LOG_CALLED_BODY = -3.0
"""A segment of the sacrum that is called a body, 5 %: in one of 21 real lumbar scans (SPIDER, by its own labels) that
the network had not seen, in none with weights that had, in 8 of 74 others with earlier ones."""
DISC_RATIO, DISC_RATIO_SACRAL, DISC_RATIO_SPREAD = np.log(0.85), np.log(0.45), 0.25
"""Depth of the disc below a body over that of the discs above it: of a lumbar body, and of a sacral segment, whose disc
is a remnant; on 16 and 5 of 21 real scans 0.7 to 1.1 and 0.33 to 0.55."""
LOG_NO_DISC_BELOW = {False: np.log(0.1), True: np.log(0.6)}
"""(sacral) no disc below the last body, although the sacrum follows."""
BEND_DEG, BEND_SACRAL_DEG, BEND_SPREAD_DEG = 12.0, 23.0, 6.5
"""Turn of the way from body to body at the last one: at the promontory it turns back sharply (same scans: 7 to 19
degrees at L5, 14 to 28 degrees at S1)."""
SACRUM_MM, SACRUM_WITHOUT_S1_MM, SACRUM_SPREAD_MM = 100.0, 72.0, 9.0
"""Length of the whole sacrum from its base to its tip, and from the second segment on; it counts for a third,
since parts of the tip are missed and the coccyx may be called sacrum."""
MOST_EVIDENCE = 3.0
"""No single property of the last body's surroundings counts for more."""
LOG_ARCH = {
    (False, True): np.log(0.85),
    (False, False): np.log(0.15),
    (True, True): np.log(0.25),
    (True, False): np.log(0.75),
}
"""(sacral, posterior elements seen beside it)."""
_CORD_MM2 = [61, 67, 69, 71, 66, 56, 47, 41, *[38] * 6, 40, 42, 46, 49, 49, *[47] * 6, *[47] * 3]
CORD_MM2 = np.array(_CORD_MM2, float)
CORD_SPREAD = 0.25
"""Cross-section of the cord beside C2 to T12 (ellipse of its depth and width, Frostell et al., Front Neurol 2016;
7:238): its cervical enlargement is nearly twice as large as the thoracic cord. Further down, where it ends, its size
tells nothing. Standard deviation of its log."""
COSTAL_MM = np.array(
    [*[-8.0] * 6, *[12.0] * 10, 11, 10, 10, 6.5, 5.5, 4, 2.5, 1.5, 1.5, *[1.5] * 3]
)
COSTAL_SPREAD_MM = 4.0
"""How far the costal (transverse) processes lie behind the middle of the canal: in the neck beside the body and in
front of it, in the chest swept back behind the articular processes, lower down more and more to the sides (surface
models of the spine, and a real label map of a lower spine: 9.9 mm at T12, 7.2, 5.9, 4.0 and 1.9 mm at L1 to L4)."""
_SPAN_MM = "50 50 50 51 52 60 72 68 62 60 60 60 60 59 57 54 49 48 48 70 76 84 82 88 88 90 90 90"
COSTAL_REACH_MM = np.array(_SPAN_MM.split(), float) / 2
COSTAL_REACH_SPREAD = 0.14
"""Half the span of the costal (transverse) processes, C2 to S3 (Panjabi 1991, 1992; the sacrum's wings): those of T11
and T12 are the shortest of the trunk, those of the lumbar spine half as long again. Standard deviation of the log."""
LOG_CUT_AXIS = -2.0
"""The image begins below C2's dens: images of the neck are planned from the skull's base."""
LOG_NO_CANAL = -2.5
BEHIND_CANAL, LOG_BEHIND_CANAL = 0.05, -4.0
"""Share of a body's voxels behind the canal, which only the sacrum's have: its back wall may be called body with it."""
LOG_UNSEEN = -1.5
"""Beyond the outermost body there is room for another, which would be seen."""
SET_ASIDE, SET_ASIDE_WHOLE = -0.8, -12.0
"""A bit that is no body; a whole body that is none. In between in proportion to the volume."""
SACRUM_UNSEEN_PER_ML, SACRUM_UNSEEN = -0.7, -16.0
"""What is called sacrum is none."""
SURE_SACRUM_MM3 = 15000.0
"""Half the first sacral segment's body (45 x 30 x 28 mm): no part of a vertebra that the border cuts."""
WITHIN_SACRUM = 0.25
LOG_WITHIN_SACRUM = -20.0
"""Per share of the sacrum above `WITHIN_SACRUM` that lies higher than a body: none lies behind, in front or below."""
STEEP_DEG, LOG_STEEP_PER_DEG = 50.0, -0.15
"""Angle of the way from one body to the next against the first one's axis, from which it is unlikely."""
LIPS_MM = 3.0
"""Surfaces of the last body and the sacrum come this much nearer to each other than the disc is high."""
