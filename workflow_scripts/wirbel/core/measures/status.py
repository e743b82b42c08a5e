"""Why a measure is missing, or incomplete: the codes of every `*_status` column."""

from __future__ import annotations

OK = "ok"
TOUCHES_BORDER = "touches_border"
ABSENT = "absent"
NO_CANAL = "no_canal"
SURFACE_INCOMPLETE = "surface_incomplete"
PARTLY_SEEN = "partly_seen"
NOT_DEFINED_FOR_C2 = "not_defined_for_c2"
NOT_DEFINED_AT_LEVEL = "not_defined_at_level"
NO_NEIGHBOUR = "no_neighbour"
NOT_IN_VIEW = "not_in_view"
VERTEBRA_MISSING = "vertebra_missing"
SOME_MISSING = "some_missing"
FORM_ASSUMED = "form_assumed"
CORD_QUESTIONED = "cord_questioned"
NO_IMAGE = "no_image"
TOO_FEW_VOXELS = "too_few_voxels"
TOO_FEW_SLICES = "too_few_slices"
NO_ZERO = "no_zero"
VOXELS_REPLACED = "voxels_replaced"
DARK_FLUID = "dark_fluid"
DARK_MARROW = "dark_marrow"
NO_CURVE = "no_curve"
ONE_VOTE = "one_vote"
ADDED_LATER = "added_later"
NOT_RECORDED = "not_recorded"

STATUS_CODES: dict[str, str] = {
    OK: "measured",
    TOUCHES_BORDER: (
        "the structure reaches the border of the field of view (1.5 mm or one slice), so part of it may be "
        "missing: a volume is "
        "that of the imaged part, and no height and no AP diameter is given unless no more than a flank is cut off"
    ),
    ABSENT: "the label maps hold no voxel of this structure",
    NO_CANAL: (
        "no spinal canal or cord was found behind the structure, so its mid-sagittal plane is unknown"
    ),
    SURFACE_INCOMPLETE: "too little of the upper or lower surface or of a wall is there to fit it",
    PARTLY_SEEN: (
        "slices show only part of the structure's width, by its depth and by the structures next to it: a volume is "
        "that of the labelled part, there is no width, and no height where the part lies to one side"
    ),
    NOT_DEFINED_FOR_C2: (
        "the body of C2 continues into the dens: it has no upper endplate to measure from"
    ),
    NOT_DEFINED_AT_LEVEL: "the measure is not defined at this level",
    NO_NEIGHBOUR: "no vertebra next to it could be measured to compare with",
    NOT_IN_VIEW: "a level that the measure needs is not in view, or could not be measured",
    VERTEBRA_MISSING: (
        "the maps lack a vertebra between those that the measure spans, or next to the one that it is about"
    ),
    SOME_MISSING: (
        "between the places that were measured lies one that could not be, or one in full view could not be: the value "
        "given is the largest of the others"
    ),
    FORM_ASSUMED: (
        "too few slices show the structure to tell its form (of canal and cord fewer than three, or five where flat; "
        "of bodies and discs fewer than five, or eight where they look rectangular): width and area lean on the usual "
        "form; values are given, the area may be off by 15 %, the width by a slice. Of heights: two or three slices "
        "that stand askew in the structure show nothing else of it; heights may be off by 2 mm, angles by 5 degrees"
    ),
    CORD_QUESTIONED: (
        "what is labelled as cord is larger than a cord or lies below L3, where cords have ended: perhaps the map "
        "counts the nerve roots or the dural sac to it; values are given, to be looked at"
    ),
    NO_IMAGE: "the label maps were measured without the image",
    TOO_FEW_VOXELS: "too few voxels lie deep enough inside the structure or the fluid beside it",
    TOO_FEW_SLICES: "too few slices show the spine to compare each with its neighbours",
    NO_ZERO: (
        "the image holds negative, standardised or shifted intensities, in which 0 does not mean no signal: ratios "
        "of them mean nothing"
    ),
    VOXELS_REPLACED: (
        "more than half of the structure's or the fluid's voxels hold NaN, infinity or values absurdly far from all "
        "others"
    ),
    DARK_FLUID: "the fluid beside the structure is black",
    DARK_MARROW: "the marrow of the body is black",
    NO_CURVE: (
        "there is no such curve: the largest angle is below 10 degrees, so that it has no side and no apex, or "
        "no angle of "
        "the other direction lies beside it"
    ),
    ONE_VOTE: "no two cut-outs show the vertebra, so that no predictions of it can be compared",
    ADDED_LATER: "the network found nothing where the structure is: later steps put it there",
    NOT_RECORDED: "the maps came without this information",
}
"""Status code -> meaning, as written to the data dictionaries."""
