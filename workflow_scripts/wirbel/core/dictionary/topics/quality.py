"""The columns that describe the image of a scan: noise, ghosts, slices that do not fit."""

from __future__ import annotations

from wirbel.core.dictionary.column import MILLIMETRES, NUMBER, PERCENT, RATIO, Column
from wirbel.core.dictionary.families import status
from wirbel.core.measures import status as S
from wirbel.core.plausibility.scan_flags import (
    GHOSTS_ALONG_SPINE,
    GHOSTS_FRONT_BACK,
    LOWEST_SNR,
    SHIFTED_SLICES_MM,
)


def _figure(
    name: str,
    what: str,
    definition: str,
    source: str,
    units: str,
    interval: tuple[float, float],
    state: str = "quality_status",
) -> Column:
    return Column(
        name,
        NUMBER,
        what,
        definition,
        source,
        units,
        interval,
        decimals=2,
        status=state,
        compared=False,
    )


def _ghosts(name: str, axis: str, limit: float) -> Column:
    return _figure(
        name,
        f"Strength of ghosts along the {axis} axis",
        "100 * root of the summed squares of the copies' strengths at all shifts of 8 mm and more along the axis "
        "of the slices that is nearest to it, less what noise adds. Strength at a shift: regression of marrow's "
        "signal (deeper than 3 mm in vertebral bodies, less its own mean over 4 mm, without veins) on the edges "
        "outside of it, shifted; shifts at which few edges reach marrow do not count. "
        f"Air is not used: it may be blanked. Above {limit:g} the scan has the flag motion",
        "regression in place of the background measures of Mortamet et al., Magn Reson Med 2009;62:365-372",
        PERCENT,
        (0.0, limit),
    )


OF_SCANS = (
    _figure(
        "signal_to_noise_ratio",
        "Signal of marrow over noise",
        "Median signal of vertebral bodies deeper than 3 mm over the spread of the noise there: 1.4826 * median "
        "absolute second difference along both axes of the slices / 6. Fine structure of marrow counts as noise; noise "
        "that was smoothed, as interpolation does, is missed in part. "
        f"Below {LOWEST_SNR:g} the scan has the flag low_snr",
        "Immerkaer, Comput Vis Image Underst 1996;64:300-302; median after Coupe et al., Med Image Anal "
        "2010;14:483-493; limit: Rose, J Opt Soc Am 1948;38:196-208",
        RATIO,
        (LOWEST_SNR, 1000.0),
    ),
    _ghosts("ghosts_front_back_percent", "front-back", GHOSTS_FRONT_BACK),
    _ghosts("ghosts_along_spine_percent", "head-feet", GHOSTS_ALONG_SPINE),
    status(
        "quality_status",
        "noise and ghosts of the image",
        S.OK,
        S.NO_IMAGE,
        S.NO_ZERO,
        S.TOO_FEW_VOXELS,
    ),
    _figure(
        "slice_shift_mm",
        "By how much every other slice is shifted within its plane",
        "Half of the distance between the median shifts of odd and of even slices, each slice against the mean of both "
        "its neighbours (least squares on the gradient, 8 mm around the spine). Motion between the halves of an "
        f"interleaved scan. Above {SHIFTED_SLICES_MM:g} the scan has the flag motion",
        "least squares after Lucas and Kanade, Proc IJCAI 1981:674-679",
        MILLIMETRES,
        (0.0, SHIFTED_SLICES_MM),
        "slice_shift_status",
    ),
    status(
        "slice_shift_status",
        "the comparison of slices",
        S.OK,
        S.NO_IMAGE,
        S.NO_ZERO,
        S.TOO_FEW_SLICES,
    ),
)
