"""The flags that a look at the whole result may set, and the words that explain them."""

from __future__ import annotations

LOW_AGREEMENT = "low_agreement"
LOW_INSTANCE = 0.75
LOW_MARGIN = 0.8
"""Below these a structure is flagged: `benchmarks/agreement.py` says how good the flagged ones are."""
SURE_MARGIN = 0.9
"""Votes that differ count only below this margin of the body: at the passage to the thorax neighbouring cut-outs share
long processes out differently, around a body that no network doubts. In simulated spines C7 has votes of 0.76 and a
margin of 0.93; a vertebra of real scans that was none had 0.61 and 0.89."""

STATIONS_MISSING, STATIONS_LEFT = "stations_missing", "stations_left"
NO_OVERLAP = "no_overlap"
"""Why a station that was delivered is missing from a scan that was put together."""
NOT_JOINED, DISAGREE = "station_not_joined", "stations_disagree"
LOW_SNR, MOTION = "low_snr", "motion"
LOWEST_SNR = 5.0
"""What differs from its surroundings by less than five times the noise is not told surely (Rose, J Opt Soc Am
1948;38:196-208), and in marrow of this SNR its own full signal is no more than that."""
GHOSTS_FRONT_BACK, GHOSTS_ALONG_SPINE = 20.0, 35.0
"""Percent of the image. Marrow differs from the fluid beside it by about half of the fluid's signal: copies of
that are then a tenth of the fluid's signal, a fifth or more of the marrow's. The spine repeats itself along its length,
which reads as ghosts of up to 30 % in sound scans."""
SHIFTED_SLICES_MM = 0.75
"""Slices that do not fit by a voxel: those of common protocols measure 0.6 to 1 mm in plane."""
SCAN_FLAGS: dict[str, str] = {
    "discs_missing": (
        "at least two discs, and a quarter of those expected, are missing between neighbouring bodies: bodies split "
        "or invented, or vertebrae grown together"
    ),
    "bodies_missing": (
        "at least two more discs than bodies, or an arch in full view without a body: vertebrae were missed"
    ),
    "arches_missing": (
        "at least two bodies, and a third of those whose back is in view, have no arch and no process, "
        "or none of five and more has a spinous process: they may be none, were operated on, or the "
        "image's front and back are exchanged"
    ),
    "maps_disagree": (
        "more than a twentieth of the vertebrae's and discs' voxels is something else in the other map: the maps do "
        "not belong together, or one was moved"
    ),
    "names_skipped": (
        "between the names of two neighbouring bodies one is left out: a vertebra was missed, or all below have "
        "another's name"
    ),
    "discs_misplaced": (
        "a fifth or more of a disc does not lie between the two bodies that its name says"
    ),
    "bodies_too_low": (
        "bodies take up less than half of the distance between their centres, as the median of all: masks of bodies "
        "are too small, or discs too high"
    ),
    "arches_misplaced": (
        "arches lie half a level and more above or three quarters below their bodies, or a vertebra has no spinous "
        "process, though its arch is there and both neighbours have one, or one has two: parts have the wrong name"
    ),
    "sides_exchanged": (
        "at two vertebrae or more a left process lies to the right of its right counterpart"
    ),
    "canal_missing": ("no spinal canal and no cord was found beside any vertebra"),
    "canal_broken": (
        "the canal is missing beside a body or a disc between the first and the last body wholly in view"
    ),
    "canal_leaks": (
        "more than 1 ml of the canal lies farther than 30 mm from the middle of its section: it has run out into its "
        "surroundings"
    ),
    "cord_broken": (
        "between two pieces of the cord the canal shows none over 16 mm and more: the cord was missed there. Where "
        "the cord tapers to its end, thinner pieces below that begin as thin are roots, and no reason"
    ),
    "cord_outside": ("the cord lies around the canal, not inside it: the two were exchanged"),
    "canal_beside": (
        "at a third of the vertebrae or more the canal does not run behind the body, 8 to 45 mm from its centre"
    ),
    "front_back_exchanged": (
        "by the header, canal and arches lie in front of the bodies, or they are missing while thorax and sacrum bend "
        "forward: the header's front and back are exchanged, so that positions and left and right are wrong"
    ),
    "head_feet_exchanged": (
        "by the header, the spine stands on its head (sacrum above, sizes, cord and processes upside down): "
        "positions and level names are wrong"
    ),
    "spine_tilted": (
        "the spine runs at more than 35 degrees (25 where 250 mm and more are in view, 45 where less than 100 mm are) "
        "to the header's head-feet axis: its axes are exchanged or turned, so that positions are wrong"
    ),
    "sizes_impossible": (
        "a body wholly in view has a volume, or a measured size, that no adult has at its level: its name, its mask "
        "or the voxel size is wrong"
    ),
    "proportions_impossible": (
        "half of the bodies are less than 0.8 or more than 2 times as wide as deep: the header's voxel size is wrong"
    ),
    "slivers": (
        "a body wholly in view is a plate or a thread, less than a fifth as thick as long: no vertebral body"
    ),
    "sizes_uneven": (
        "of two neighbouring bodies wholly in view one has less than a third of the other's volume, or one is more "
        "than 1.75 times as high, or 1.6 times as wide or deep, as those around: one of them is none, only a part, "
        "grown into its surroundings, or two grown together"
    ),
    "spacing_uneven": (
        "neighbouring bodies stand less than 0.55 or more than 1.6 times as far apart as usual at their levels in "
        "this person: a vertebra is missing, doubled or split"
    ),
    "spine_stepped": (
        "a body lies beside the course of the others by more than 0.6 of its depth: the scan was put together "
        "wrongly, or a vertebra has slipped by more than half"
    ),
    "body_in_pieces": (
        "a body consists of separate pieces, the second at least a sixth of the first"
    ),
    LOW_SNR: (
        f"the signal of marrow is less than {LOWEST_SNR:g} times the noise (signal_to_noise_ratio): borders are unsure"
    ),
    MOTION: (
        f"ghosts of more than {GHOSTS_FRONT_BACK:g} % along the front-back axis or {GHOSTS_ALONG_SPINE:g} % along the "
        f"spine, or every other slice lies {SHIFTED_SLICES_MM:g} mm and more beside its neighbours: the person moved"
    ),
    LOW_AGREEMENT: (
        "the networks agree badly about a vertebra or a disc (its low_agreement is true): its mask may be wrong"
    ),
}
"""Flag -> what it means, as written to the data dictionary and to the documentation."""

FILE_FLAGS: dict[str, str] = {
    STATIONS_MISSING: (
        "the scan was put together from stations, and some were not delivered or could not be read: part of the spine "
        "is not in it (the scan's sidecar says which)"
    ),
    STATIONS_LEFT: (
        "a station that was delivered does not overlap those that were put together, so it is not in the scan (its "
        "sidecar says which); with stitch: false it is measured, too"
    ),
    NOT_JOINED: (
        "the station does not overlap the one above it, or does not fit there (the scan's sidecar says why): it was "
        "named by itself, and a vertebra of both is counted twice if their names differ"
    ),
    "header_conflict": (
        "the header contradicts itself about where the voxels lie: the sform was used where it has a code, else the "
        "qform; the maps' sidecars say what disagrees"
    ),
    "laterality_unknown": (
        "the header does not say which side is left, or says both: the sform was used where it has a code, else the "
        "qform as if its pixdim[0] were 1"
    ),
    "unit_not_mm": "the header's unit is not millimetres; its numbers were read as millimetres",
    "not_t2w": "the echo time or the repetition time is not that of a T2-weighted image",
    "derived_image": "the image was made from other images, or captured from a screen",
    "same_content": "another scan of the data set has the same content",
    "files_left_out": (
        "damaged files of the delivery, or whole archives, were left out; the scan's sidecar says how many"
    ),
    "several_people": "the stations of the delivery have different PatientIDs: make sure that they are of one person",
    "not_sagittal": "the slices are not sagittal (the setting checks accepts that)",
    "too_small": "the field of view is too small to hold a vertebra (the setting checks accepts that)",
    "bad_intensities": "the intensities are no image's (the setting checks accepts that)",
    "voxels_replaced": "some voxels hold NaN, infinity or values absurdly far from all others",
    "no_zero_intensity": "negative, standardised or shifted intensities: no signal ratios",
}
"""Flag of the scan's own file -> what it means."""

NOT_APPLIED = "review_not_applied"
LEVEL_FLAGS: dict[str, str] = {
    "gap": "a vertebra seems to be missing",
    "enumeration_anomaly": "one more or one fewer vertebra than usual between both ends",
    "enumeration_implausible": (
        "anatomy does not explain what lies between two bodies, or the sacrum's place"
    ),
    "too_many_vertebrae": "more vertebrae were found than a spine has",
    "parts_set_aside": "something called vertebral body is none",
    "sacral_body": "a segment of the sacrum was called vertebral body",
    "no_bodies": "no vertebral body was found",
    "no_sacrum": (
        "what is called sacrum lies where, by all else that is seen, there is none: it was dropped, unless the masks "
        "are to be SPINEPS' own"
    ),
    DISAGREE: (
        "the stations of the session do not agree: a station that was sure of its names got others, or vertebrae in "
        "the overlap do not fit to each other; look at all of them"
    ),
    NOT_APPLIED: "a reader moved the names so far that they would leave C1 to L6: they stay as they were",
    "counting_disagrees": "counting gives other names than the labelling network",
    "no_sequence": "the labelling network's answers fit no spine, so names are counted",
}
"""Flag of the level names -> what it means."""


def listed(flags: dict[str, str]) -> str:
    """Return flags with their meanings as one text of a dictionary."""
    return "; ".join(f"{flag}: {meaning}" for flag, meaning in flags.items())
