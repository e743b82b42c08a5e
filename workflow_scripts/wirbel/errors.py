"""The two kinds of failure, and every reason why a scan can fail.

A scan's own fault becomes one row of the manifest and never stops a batch. An infrastructure fault
stops the job, so that the scheduler tries it again.
"""

from __future__ import annotations

CONTENT_MISSING = "content_missing"
NO_SCAN, NOT_CHOSEN = "no_scan", "not_chosen"
NOT_FAILURES = (NO_SCAN, NOT_CHOSEN)
"""Reasons that are reported but no failures: there was nothing to fail, or a better scan."""

REASONS: dict[str, str] = {
    "unreadable": "the file cannot be read as NIfTI",
    CONTENT_MISSING: "the file's content is not there",
    "no_permission": "this user may not read the file",
    "not_3d": "the image does not have three dimensions",
    "not_sagittal": "the slices are not sagittal",
    "bad_geometry": "the affine or the voxel size is impossible",
    "header_conflict": "the header contradicts itself about voxel sizes, or does not give them",
    "bad_intensities": "the image has no finite intensities, or they are all the same",
    "too_small": "the field of view is too small to hold a vertebra",
    "laterality_unknown": "the header does not say which side is left",
    "unit_not_mm": "the header's unit is not millimetres",
    "not_t2w": "the echo time or the repetition time is not that of a T2-weighted image",
    "same_content": "another scan of the data set has the same content",
    "files_left_out": "damaged files of the delivery were left out",
    "duplicate": "another file of the data set has the same scan name",
    "misnamed": "the file's name contradicts its folders or cannot be used",
    NO_SCAN: "the participant has no scan that the settings ask for",
    NOT_CHOSEN: "another scan of the session was chosen",
    "archive_encrypted": "the archive is encrypted",
    "archive_damaged": "the archive is incomplete or damaged",
    "archive_bomb": "the archive would unpack to far more than the images of a session",
    "archive_nested": "the archive holds other archives",
    "no_dicom": "no DICOM image was found",
    "no_series": "no series fits the rules",
    "several_series": "several series fit the rules",
    "several_people": "the images of a delivery are of several people, by their PatientID",
    "derived_image": "the image is a secondary capture, or derived from others",
    "incomplete_series": "slices of the series are missing, or cut short",
    "implausible_seam": "two stations of a session do not fit each other",
    "not_converted": "the series cannot be converted",
    "no_spine_found": "no vertebral body was found",
    "implausible_result": "the result contradicts anatomy",
    "bad_annotation": "a label map to annotate with is missing, ambiguous or cannot be understood",
    "upstream_changed": "the input changed while it was being processed",
    "unexpected": "an error that the software did not foresee",
}
"""Reason code -> its meaning, as the documentation and the QC page show it."""


class ScanError(Exception):
    """A fault of one scan.

    Parameters
    ----------
    reason : str
        A key of `REASONS`.
    detail : str
        One sentence for the user: the file, what was expected, what was found, what to do.

    Raises
    ------
    ValueError
        If `reason` is not a key of `REASONS`.

    Examples
    --------
    >>> str(ScanError("too_small", "sub-01_T2w.nii.gz: expected at least 30 mm, found 12 mm"))
    'too_small: sub-01_T2w.nii.gz: expected at least 30 mm, found 12 mm'
    """

    def __init__(self, reason: str, detail: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"unknown reason code {reason!r}; add it to wirbel.errors.REASONS")
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class InfrastructureError(Exception):
    """A fault of the machine or the installation. It is never recorded against a scan."""
