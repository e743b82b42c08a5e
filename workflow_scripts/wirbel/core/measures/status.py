"""Why a measure is missing, or incomplete: the codes of every `*_status` column."""

from __future__ import annotations

OK = "ok"
TOUCHES_BORDER = "touches_border"
ABSENT = "absent"
NO_CANAL = "no_canal"
SURFACE_INCOMPLETE = "surface_incomplete"
NOT_DEFINED_FOR_C2 = "not_defined_for_c2"

STATUS_CODES: dict[str, str] = {
    OK: "measured",
    TOUCHES_BORDER: (
        "the structure reaches the border of the field of view, so part of it may be missing: a volume is "
        "that of the imaged part, and no height is given unless no more than a flank is cut off"
    ),
    ABSENT: "the label maps hold no voxel of this structure",
    NO_CANAL: (
        "no spinal canal or cord was found behind the structure, so its mid-sagittal plane is unknown"
    ),
    SURFACE_INCOMPLETE: "too little of the upper or lower surface or of a wall is there to fit it",
    NOT_DEFINED_FOR_C2: (
        "the body of C2 continues into the dens: it has no upper endplate to measure from"
    ),
}
"""Status code -> meaning, as written to the data dictionaries."""
