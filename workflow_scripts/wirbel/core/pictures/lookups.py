"""Names and colours of the labels of both maps, for lookup tables and viewers."""

from __future__ import annotations

from wirbel.core.labels import (
    DISC_OFFSET,
    ENDPLATE_OFFSET,
    LEVEL_NAMES,
    SET_ASIDE,
)
from wirbel.core.pictures.colours import subregion_colours, vertebra_colours

__all__ = ["subregion_colours", "vertebra_colours", "vertebra_names"]


def vertebra_names() -> dict[int, str]:
    """Return the name of every label that the vertebra map can hold."""
    names = {**LEVEL_NAMES, SET_ASIDE: "set_aside"}
    names |= {DISC_OFFSET + v: f"disc_below_{level}" for v, level in LEVEL_NAMES.items()}
    names |= {ENDPLATE_OFFSET + v: f"endplates_of_{level}" for v, level in LEVEL_NAMES.items()}
    return names
