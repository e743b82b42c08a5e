"""Checks of a scan before it is computed, each of which is a failure, a warning, or off: the setting `checks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FAILURE, WARNING, OFF = "failure", "warning", "off"
LEVELS = (FAILURE, WARNING, OFF)
NOT_T2W, DERIVED, SAME_CONTENT = "not_t2w", "derived_image", "same_content"
LEFT_OUT, PEOPLE = "files_left_out", "several_people"
BESIDE = OTHER_SERIES, REPEATED, OTHER_FILES = "other_series", "repeated", "other_files"
"""What is in a delivery beside its scans, as an inventory tells it."""
OF_IMAGES = ("not_sagittal", "too_small", "bad_intensities")
"""Checks of voxels and grid."""
OF_HEADERS = ("laterality_unknown", "unit_not_mm", "header_conflict")
"""Checks of a NIfTI header that leaves something open."""
CHECKS: Mapping[str, str] = {
    **dict.fromkeys(OF_IMAGES, FAILURE),
    **dict.fromkeys(OF_HEADERS, WARNING),
    NOT_T2W: WARNING,
    DERIVED: FAILURE,
    SAME_CONTENT: WARNING,
    LEFT_OUT: WARNING,
    PEOPLE: WARNING,
}
"""Code -> what it is if the setting does not say."""
DERIVED_NIFTI = WARNING
"""`derived_image` of a NIfTI file whose sidecar says so: somebody put it into a data set of scans."""


def levels_of(setting: Mapping[str, Any], *, dicom: bool = False) -> dict[str, str]:
    """Return code -> level; YAML reads `off` without quotes as false.

    Parameters
    ----------
    setting : mapping
        The setting `checks`: code -> level.
    dicom : bool
        The scans are delivered as DICOM. Default: they are NIfTI files.

    Examples
    --------
    >>> levels_of({"too_small": False})["too_small"], levels_of({})["not_t2w"]
    ('off', 'warning')
    """
    usual = {**CHECKS, **({} if dicom else {DERIVED: DERIVED_NIFTI})}
    return {**usual, **{code: OFF if level is False else level for code, level in setting.items()}}
