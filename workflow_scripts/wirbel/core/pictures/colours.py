"""One colour per label, the same in lookup tables and pictures, distinguishable with most colour
vision deficiencies.

The hues are Okabe and Ito's (Color Universal Design, 2008). Structures that touch differ in
lightness as well as in hue.
"""

from __future__ import annotations

from wirbel.core import labels as L

ORANGE, SKY, GREEN, YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
BLUE, VERMILION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"

VERTEBRA_CYCLE = (ORANGE, BLUE, YELLOW, VERMILION, SKY, GREEN, PURPLE)
"""Colours of the vertebrae from the top down, repeated; neighbours differ in lightness."""

PALER_PER_TURN = 0.09
"""How much nearer to white each further turn of the cycle is, so that no two levels share a colour."""
LIGHTER, DARKER = 0.55, 0.45
"""How far a disc's colour goes towards white, and an endplate's towards black."""

GREY = "#808080"

_SUBREGIONS: dict[int, str] = {
    L.SACRUM: PURPLE,
    L.ARCUS: GREEN,
    L.SPINOUS_PROCESS: ORANGE,
    L.COSTAL_LEFT: "#5b3a8c",
    L.COSTAL_RIGHT: "#9a7fc4",
    L.SUPERIOR_ARTICULAR_LEFT: "#7a4b00",
    L.SUPERIOR_ARTICULAR_RIGHT: "#b98a4b",
    L.INFERIOR_ARTICULAR_LEFT: "#00543d",
    L.INFERIOR_ARTICULAR_RIGHT: "#5fc9a8",
    L.BODY_BORDER: BLUE,
    L.BODY: "#3b93c9",
    L.CORD: VERMILION,
    L.CANAL: SKY,
    L.ENDPLATE: "#ffffff",
    L.DISC: YELLOW,
}


def subregion_colours() -> dict[int, str]:
    """Return "#rrggbb" for every subregion label."""
    return dict(_SUBREGIONS)


def vertebra_colours() -> dict[int, str]:
    """Return "#rrggbb" for every number of the vertebra map; discs are lighter, endplates darker."""
    colours = {L.SET_ASIDE: GREY}
    for step, label in enumerate(L.LEVELS_TOP_DOWN):
        turn, place = divmod(step, len(VERTEBRA_CYCLE))
        own = mixed(VERTEBRA_CYCLE[place], "#ffffff", turn * PALER_PER_TURN)
        colours[label] = own
        colours[L.DISC_OFFSET + label] = mixed(own, "#ffffff", LIGHTER)
        colours[L.ENDPLATE_OFFSET + label] = mixed(own, "#000000", DARKER)
    return colours


def rgb(colour: str) -> tuple[int, int, int]:
    """Return "#rrggbb" as three numbers from 0 to 255.

    Examples
    --------
    >>> rgb("#ff8000")
    (255, 128, 0)
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def mixed(colour: str, other: str, share: float) -> str:
    """Return the colour that is `share` of the way from `colour` to `other`."""
    pairs = zip(rgb(colour), rgb(other), strict=True)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)
