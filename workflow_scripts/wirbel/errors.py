"""The two kinds of failure, and every reason a scan can fail for.

A scan's own fault becomes one row of the manifest and never stops a batch; an infrastructure
fault stops the job so that the scheduler tries it again.
"""

from __future__ import annotations

CONTENT_MISSING = "content_missing"

REASONS: dict[str, str] = {
    "unreadable": "the file cannot be read as NIfTI",
    CONTENT_MISSING: "the file's content is not there",
    "no_permission": "this user must not read the file",
    "not_3d": "the image does not have three dimensions",
    "not_sagittal": "the slices are not sagittal",
    "bad_geometry": "the affine or the voxel size cannot be right",
    "header_conflict": "the header contradicts itself about voxel sizes, or has lost them",
    "bad_intensities": "the image holds no finite or no varying intensities",
    "too_small": "the field of view is too small to hold a vertebra",
    "duplicate": "another file of the data set claims the same scan name",
    "misnamed": "the file's name contradicts its folders, or cannot be used",
    "no_scan": "no T2w scan of the participant was found",
    "no_spine_found": "no vertebral body was found",
    "implausible_result": "the result contradicts anatomy",
    "upstream_changed": "the input changed while it was being processed",
    "unexpected": "an error that the software did not foresee",
}
"""Reason code -> what it means, as written to the documentation."""


class ScanError(Exception):
    """A fault of one scan. `reason` is a key of `REASONS`; `detail` says expected, found, remedy."""

    def __init__(self, reason: str, detail: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"unknown reason code {reason!r}; add it to wirbel.errors.REASONS")
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class InfrastructureError(Exception):
    """A fault of the machine or of the set-up: never recorded against a scan."""
