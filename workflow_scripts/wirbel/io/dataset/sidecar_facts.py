"""What a scan's BIDS sidecar says of its contrast and origin."""

from __future__ import annotations

import json
import os
from typing import Any

from wirbel.core.preparation.contrast_timing import not_t2w
from wirbel.io.escapes import visible

MADE = ("DERIVED", "SECONDARY")
"""In the first two values of ImageType (DICOM PS3.3, C.7.6.1.1.2): not what the scanner acquired."""
LARGEST_BYTES = 4 * 1024**2


def sidecar_path(scan: str) -> str:
    """Return where the sidecar of a scan is, if it has one.

    Examples
    --------
    >>> sidecar_path("sub-1/anat/sub-1_T2w.nii.gz")
    'sub-1/anat/sub-1_T2w.json'
    """
    return scan.removesuffix(".gz").removesuffix(".nii") + ".json"


def sidecar_doubts(path: str) -> dict[str, str]:
    """Return code -> sentence of what a sidecar says against a scan; a sidecar that cannot be read says nothing.

    Times are in seconds, as BIDS has them.
    """
    try:
        with open(path, "rb") as stream:
            content = json.loads(stream.read(LARGEST_BYTES))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    name, told = visible(os.path.basename(path)), {}
    why = not_t2w(*(_milliseconds(content.get(key)) for key in ("EchoTime", "RepetitionTime")))
    if why:
        told["not_t2w"] = f"{name} says {why}: is it a T2-weighted scan?"
    values = content.get("ImageType")
    kinds = [str(value).upper() for value in values[:2]] if isinstance(values, list) else []
    if made := [value for value in kinds if value in MADE]:
        told["derived_image"] = f"{name} says that the image is {made[0].lower()}, not acquired"
    return told


def _milliseconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(1000 * float(value), 3)
