"""The label numbers of both output maps, which are those of SPINEPS 2.1.

The subregion map says which structure a voxel belongs to. The vertebra map says which vertebra it
belongs to, counted along the spine; 100 + v is the disc below vertebra v, and 200 + v both
endplates of that disc.
"""

from __future__ import annotations

from collections.abc import Iterable

SACRUM = 26
ARCUS = 41
SPINOUS_PROCESS = 42
COSTAL_LEFT = 43
COSTAL_RIGHT = 44
SUPERIOR_ARTICULAR_LEFT = 45
SUPERIOR_ARTICULAR_RIGHT = 46
INFERIOR_ARTICULAR_LEFT = 47
INFERIOR_ARTICULAR_RIGHT = 48
BODY_BORDER = 49
BODY = 50
DENS = 51
"""Of the axis; only models that segment C1 have it."""
CORD = 60
CANAL = 61
ENDPLATE = 62
DISC = 100
UPPER_ENDPLATE, LOWER_ENDPLATE = 52, 53
"""Only SPINEPS' own maps have these, instead of `ENDPLATE`."""
METAL = 80
"""Only models of other modalities have it."""

SUBREGION_NAMES: dict[int, str] = {
    SACRUM: "sacrum",
    ARCUS: "arcus_vertebrae",
    SPINOUS_PROCESS: "spinous_process",
    COSTAL_LEFT: "costal_process_left",
    COSTAL_RIGHT: "costal_process_right",
    SUPERIOR_ARTICULAR_LEFT: "superior_articular_process_left",
    SUPERIOR_ARTICULAR_RIGHT: "superior_articular_process_right",
    INFERIOR_ARTICULAR_LEFT: "inferior_articular_process_left",
    INFERIOR_ARTICULAR_RIGHT: "inferior_articular_process_right",
    BODY_BORDER: "vertebral_body_border",
    BODY: "vertebral_body",
    CORD: "spinal_cord",
    CANAL: "spinal_canal",
    ENDPLATE: "endplate",
    DISC: "intervertebral_disc",
}
"""Subregion label -> name, in ascending order."""

POSTERIOR_ELEMENTS = tuple(range(ARCUS, INFERIOR_ARTICULAR_RIGHT + 1))
BODY_LABELS = (BODY_BORDER, BODY)
ENDPLATE_LABELS = (ENDPLATE, UPPER_ENDPLATE, LOWER_ENDPLATE)
VERTEBRA_SUBREGIONS = POSTERIOR_ELEMENTS + BODY_LABELS
"""The ten substructures that make up one vertebra."""

LEFT_RIGHT_PAIRS = (
    (COSTAL_LEFT, COSTAL_RIGHT),
    (SUPERIOR_ARTICULAR_LEFT, SUPERIOR_ARTICULAR_RIGHT),
    (INFERIOR_ARTICULAR_LEFT, INFERIOR_ARTICULAR_RIGHT),
)

T13 = 28
SET_ASIDE = 90
"""Marks a component that was taken for a vertebra but is none, in runs that must keep SPINEPS' masks.
It has no row in any table.
"""
DISC_OFFSET = 100
ENDPLATE_OFFSET = 200

LEVEL_NAMES: dict[int, str] = {
    **{number: f"C{number}" for number in range(1, 8)},
    **{number: f"T{number - 7}" for number in range(8, 20)},
    T13: "T13",
    **{number: f"L{number - 19}" for number in range(20, 26)},
    SACRUM: "S1",
}
"""Vertebra label -> level, from the top of the spine down (T13 is between T12 and L1)."""

LEVEL_LABELS: dict[str, int] = {name: label for label, name in LEVEL_NAMES.items()}
LEVELS_TOP_DOWN: tuple[int, ...] = tuple(LEVEL_NAMES)
LEVEL_ORDER: dict[int, int] = {label: place for place, label in enumerate(LEVELS_TOP_DOWN, start=1)}
"""Label -> its place down the spine, in which T13 stands between T12 and L1."""


def region_of(label: int) -> str:
    """Return "cervical", "thoracic", "lumbar" or "sacral" for a vertebra label.

    Examples
    --------
    >>> region_of(20)
    'lumbar'
    """
    regions = {"C": "cervical", "T": "thoracic", "L": "lumbar", "S": "sacral"}
    return regions[LEVEL_NAMES[label][0]]


def down_the_spine(levels: Iterable[str]) -> list[str]:
    """Return names of vertebrae or of discs from the top of the spine down.

    Examples
    --------
    >>> down_the_spine(["L1", "T13", "T12"]), down_the_spine(["L4-L5", "L4-S1", "C7-T1"])
    (['T12', 'T13', 'L1'], ['C7-T1', 'L4-L5', 'L4-S1'])
    """
    return sorted(
        levels, key=lambda name: [LEVEL_ORDER[LEVEL_LABELS[part]] for part in name.split("-")]
    )


def disc_name(above: int, below: int) -> str:
    """Return the name of the disc between two vertebra labels.

    Examples
    --------
    >>> disc_name(24, 26)
    'L5-S1'
    """
    return f"{LEVEL_NAMES[above]}-{LEVEL_NAMES[below]}"
