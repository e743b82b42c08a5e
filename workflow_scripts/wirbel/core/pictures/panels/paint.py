"""Views as pictures: the image, each map as a transparent layer over it, and a scan's thumbnail."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image

from wirbel.core.pictures.colours import rgb, subregion_colours, vertebra_colours
from wirbel.core.pictures.panels.views import View
from wirbel.core.pictures.sagittal_views import FILL, OUTLINE, overlay, rims

THUMB_WIDTH, THUMB_HEIGHT = 112, 128
"""Pixels of a thumbnail: the plain image, and the vertebrae over it."""


def layer(labels: np.ndarray, colours: dict[int, str]) -> Image.Image:
    """Return labels (rows, columns) as a picture with a palette: tinted inside, strong at their rims, else clear."""
    present = [int(label) for label in np.unique(labels) if label and int(label) in colours]
    number = np.zeros(int(labels.max(initial=0)) + 1, np.uint8)
    number[present] = 1 + 2 * np.arange(len(present), dtype=np.uint8)
    indexed = number[labels]
    indexed[rims(labels) & (indexed > 0)] += 1
    picture = Image.fromarray(indexed)
    flat = [(0, 0, 0), *(rgb(colours[label]) for label in present for _ in range(2))]
    picture.putpalette([value for colour in flat for value in colour])
    clear = [0, *([round(255 * FILL), round(255 * OUTLINE)] * len(present))]
    picture.info["transparency"] = bytes(clear)
    return picture


def layers(view: View) -> dict[str, Image.Image]:
    """Return the image, and the structures and vertebrae to lay over it."""
    return {
        "image": Image.fromarray(view.image),
        "structures": layer(view.subregion, subregion_colours()),
        "vertebrae": layer(view.vertebra, vertebra_colours()),
    }


def thumbnail(view: View) -> Image.Image:
    """Return a sagittal view and the same with its vertebrae, small, side by side."""
    coloured = overlay(view.image, view.vertebra, _vertebrae())
    plain = np.repeat(view.image[..., None], 3, axis=2)
    sheet = Image.new("RGB", (THUMB_WIDTH, THUMB_HEIGHT))
    half = THUMB_WIDTH // 2
    for left, pixels in ((0, plain), (half, coloured)):
        small = Image.fromarray(pixels)
        small.thumbnail((half, THUMB_HEIGHT), Image.Resampling.BOX)
        sheet.paste(small, (left + (half - small.width) // 2, (THUMB_HEIGHT - small.height) // 2))
    return sheet


@cache
def _vertebrae() -> dict[int, tuple[int, int, int]]:
    return {label: rgb(colour) for label, colour in vertebra_colours().items()}
