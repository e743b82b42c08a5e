"""What a scan's BIDS sidecar says of its contrast and origin."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
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


def read_sidecar(path: str) -> dict[str, Any]:
    """Return what a sidecar says; nothing where there is none, or none that can be read."""
    try:
        with open(path, "rb") as stream:
            content = json.loads(stream.read(LARGEST_BYTES))
    except (OSError, ValueError, RecursionError):  # the last for a thousand brackets
        return {}
    return content if isinstance(content, dict) else {}


def finite_number(value: Any) -> float | None:
    """Return a number of a sidecar; None for anything else.

    Examples
    --------
    >>> finite_number(3), finite_number("3"), finite_number(True), finite_number(10**400)
    (3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def made_of_others(image_type: Iterable[Any]) -> list[str]:
    """Return which values of an ImageType say that the image was not acquired.

    Examples
    --------
    >>> made_of_others(["derived", "PRIMARY"]), made_of_others(["ORIGINAL", "PRIMARY", "DERIVED"])
    (['DERIVED'], [])
    """
    return [kind for value in list(image_type)[:2] if (kind := str(value).upper()) in MADE]


def sidecar_doubts(path: str) -> dict[str, str]:
    """Return code -> sentence of what a sidecar says against a scan; a sidecar that cannot be read says nothing.

    Times are in seconds, as BIDS has them.
    """
    content = read_sidecar(path)
    name, told = visible(os.path.basename(path)), {}
    why = not_t2w(*(_milliseconds(content.get(key)) for key in ("EchoTime", "RepetitionTime")))
    if why:
        told["not_t2w"] = f"{name} says {why}: is it a T2-weighted scan?"
    values = content.get("ImageType")
    if made := made_of_others(values if isinstance(values, list) else []):
        told["derived_image"] = f"{name} says that the image is {made[0].lower()}, not acquired"
    return told


def _milliseconds(value: Any) -> float | None:
    seconds = finite_number(value)
    return None if seconds is None else round(1000 * seconds, 3)
