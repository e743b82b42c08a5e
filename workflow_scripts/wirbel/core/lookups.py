"""Names and colours of the numbers in both maps, for look-up tables and viewers."""

from __future__ import annotations

import colorsys

from wirbel.core.labels import (
    DISC_OFFSET,
    ENDPLATE_OFFSET,
    LEVEL_NAMES,
    LEVELS_TOP_DOWN,
    SUBREGION_NAMES,
)

GOLDEN_TURN = 0.61803398875
"""Steps of the golden section round the colour circle keep neighbours far apart however many there are."""
DISC_SHADE, ENDPLATE_SHADE = 0.65, 0.4


def vertebra_names() -> dict[int, str]:
    """Return the name of every number that the vertebra map can hold."""
    names = dict(LEVEL_NAMES)
    names |= {DISC_OFFSET + v: f"disc_below_{level}" for v, level in LEVEL_NAMES.items()}
    names |= {ENDPLATE_OFFSET + v: f"endplates_of_{level}" for v, level in LEVEL_NAMES.items()}
    return names


def subregion_colours() -> dict[int, str]:
    """Return "#rrggbb" for every subregion."""
    return {label: _colour(i) for i, label in enumerate(SUBREGION_NAMES)}


def vertebra_colours() -> dict[int, str]:
    """Return "#rrggbb" for every number of the vertebra map; discs and endplates are darker shades."""
    colours = {}
    for i, label in enumerate(LEVELS_TOP_DOWN):
        colours[label] = _colour(i)
        colours[DISC_OFFSET + label] = _colour(i, DISC_SHADE)
        colours[ENDPLATE_OFFSET + label] = _colour(i, ENDPLATE_SHADE)
    return colours


def _colour(step: int, brightness: float = 0.95) -> str:
    channels = colorsys.hsv_to_rgb(step * GOLDEN_TURN % 1.0, 0.7, brightness)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)
