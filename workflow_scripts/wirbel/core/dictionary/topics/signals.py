"""The columns of T2 signals: of bodies and discs over the fluid, of nucleus and annulus, of the marrow."""

from __future__ import annotations

from wirbel.core.dictionary.column import PERCENT, Column
from wirbel.core.dictionary.families import ratio, status
from wirbel.core.measures import status as S

SIGNAL = (
    *(S.OK, S.NO_IMAGE, S.ABSENT, S.TOO_FEW_VOXELS),
    *(S.NO_ZERO, S.VOXELS_REPLACED, S.DARK_FLUID),
)
WALDENBERG = (
    "after Waldenberg et al., Eur Spine J 2018;27:1042-1048 (distance between the signals of nucleus and "
    "annulus; there "
    "of histograms); Pfirrmann et al., Spine 2001;26:1873-1878"
)
ZONES = (
    "Voxels deeper than 1 mm in the disc and not at its rim, within the mid-sagittal slab (central third of the width, "
    "or one and a half slices). Nucleus: 30 to 70 % of the depth; annulus: the outer 15 % in front and at the "
    "back, the "
    "mean of both, so that the coil's fall-off cancels. Over the median of the fluid as in disc_to_csf_ratio"
)
EHRESMAN = "after Ehresman et al., Spine J 2020;20:556-562 (VBQ, there T1-weighted)"


def signal_ratio(name, what, margin, status, source) -> Column:
    """Return the column of a T2 signal over that of the fluid beside it.

    Parameters
    ----------
    name : str
        The column.
    what : str
        The structure.
    margin : float
        Voxels nearer than this to its surface are left out, mm.
    status : str
        Column that explains a missing value.
    source : str
        Publication that defines the measure.
    """
    return ratio(
        name,
        f"T2 signal of the {what} over that of the cerebrospinal fluid",
        f"Median intensity of the {what} deeper than {margin} mm over the median of the canal without the "
        "cord, deeper than 1 mm, within 45 mm; both also without their outermost voxels. From the scan as it "
        "is, without bias field correction; voxels of NaN, infinity or absurdly far from all others do not count",
        status,
        (0.0, 3.0),
        source,
    )


def corrected_ratio(name, state, raw) -> tuple[Column, Column]:
    """Return the column of a T2 signal ratio, `raw`, without the coil's fall-off, and its status."""
    return (
        ratio(
            name,
            f"{raw} corrected for the coil's fall-off",
            f"{raw} * exp(-b d): b is the change of the logarithm of the signal per mm forwards within "
            "vertebral bodies (medians of front and back third, the median over the scan's bodies, at least three), d "
            "the distance from the canal's centre",
            state,
            (0.0, 3.0),
        ),
        status(state, "the corrected signal ratio", *SIGNAL),
    )


def _zone(column: str, name: str, what: str) -> Column:
    return ratio(
        column,
        f"T2 signal of the {what} over that of the cerebrospinal fluid",
        f"Mean signal of the {name}. {ZONES}",
        "nucleus_status",
        (0.0, 3.0),
        WALDENBERG,
    )


NUCLEUS = (
    _zone("nucleus_to_csf_ratio", "nucleus", "disc's nucleus"),
    _zone("annulus_to_csf_ratio", "annulus", "disc's annulus"),
    ratio(
        "nucleus_annulus_contrast",
        "How much brighter the nucleus is than the annulus, over the fluid's signal",
        "nucleus_to_csf_ratio - annulus_to_csf_ratio: falls towards 0 as a disc degenerates",
        "nucleus_status",
        (-0.7, 2.0),
        WALDENBERG,
    ),
    ratio(
        "disc_heterogeneity",
        "Spread of the disc's T2 signal, over the fluid's signal",
        f"90th less 10th percentile of all voxels of the slab, over the fluid's median. {ZONES}. Noise adds to it",
        "nucleus_status",
        (0.0, 3.0),
        WALDENBERG,
    ),
    status(
        "nucleus_status",
        "the comparison of nucleus and annulus",
        *SIGNAL,
        S.TOUCHES_BORDER,
        S.PARTLY_SEEN,
        S.NO_CANAL,
        S.SURFACE_INCOMPLETE,
    ),
)
MARROW = (
    ratio(
        "body_heterogeneity_percent",
        "Spread of the marrow's T2 signal within the body",
        "100 * 1.4826 MAD / median of the signals deeper than 3 mm, each the mean over 3 mm without voxels more than "
        "3 spreads from the rest (veins), after a linear trend in all three directions (the coil's) is taken out, less "
        "what the noise of single voxels (Immerkaer 1996) leaves in such means: the root of the difference of squares",
        "heterogeneity_status",
        (0.0, 100.0),
        units=PERCENT,
    ),
    status(
        "heterogeneity_status",
        "the spread of the signal",
        *(code for code in SIGNAL if code != S.DARK_FLUID),
        S.DARK_MARROW,
    ),
)
VBQ = (
    ratio(
        "vbq_t2_to_csf_ratio",
        "Vertebral bone quality score, on T2-weighted images",
        "Median of the median marrow signals of L1, L2, L3 and L4 (deeper than 3 mm) over the median signal of "
        "the canal "
        "without the cord at the height of L3 (deeper than 1 mm). The published score is one of T1-weighted "
        "images, where "
        "fluid is dark and values lie between 2 and 4: its limits do not hold here. On T2 turbo spin echo "
        "fatty marrow is the brighter, so a higher score still means more fat; roots among the fluid darken its "
        "median, "
        "and the coil's fall-off lowers the score. For comparisons within one protocol",
        "vbq_status",
        (0.0, 3.0),
        EHRESMAN,
    ),
    ratio(
        "vbq_t2_to_csf_corrected_ratio",
        "Vertebral bone quality score, corrected for the coil's fall-off",
        "As vbq_t2_to_csf_ratio, each body's median times its body_to_csf_corrected_ratio / body_to_csf_ratio",
        "vbq_status",
        (0.0, 3.0),
        EHRESMAN,
    ),
    status("vbq_status", "the bone quality score", *SIGNAL, S.NOT_IN_VIEW, S.DARK_MARROW),
)
