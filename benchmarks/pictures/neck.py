"""Pictures of a neck's canal and cord, and of coronal curves."""

from __future__ import annotations

import numpy as np
from views import CYAN, RED, YELLOW, Front, View, fitted, place

from wirbel.core.labels import (
    DISC_OFFSET,
    LEVEL_LABELS,
    LEVEL_NAMES,
)
from wirbel.core.measures.cord.centreline import find_centreline
from wirbel.core.measures.cord.narrowest import BIN_MM, canal_profile, cord_profile
from wirbel.core.measures.curvature.alignment import spine_frame
from wirbel.core.measures.curvature.coronal import cobb_columns

NECK_SEED, CURVED_SEED = 12, 34
"""The second one has a curve of 15 degrees to the right in the thorax, and one of 15 to the left above."""


def draw() -> None:
    """Draw the pictures of other persons."""
    phantom, maps, spine, solids = fitted(NECK_SEED, "cervical")
    line, frame = find_centreline(spine), spine_frame(solids)
    canal, cord = (profile(maps, line, frame.right) for profile in (canal_profile, cord_profile))
    neck(phantom, spine, solids, line, canal)
    compression(phantom, spine, solids, line, cord)
    coronal()


def neck(phantom, spine, solids, line, canal) -> None:
    """Body depth and canal behind C5 (their ratio is Torg's and Pavlov's), and the canal's narrowest place at
    that level."""
    label = LEVEL_LABELS["C5"]
    solid = solids[label]
    frame = solid.block.frame
    view = View(phantom, frame.origin_mm, -frame.anterior, frame.superior, (64, 70))
    view.line([place(frame, 0, a, 0) for a in solid.outline.ends_at(0)], YELLOW)
    view.letter(frame.origin_mm, "D", YELLOW, (0, -18))
    first = line.position(spine.centroids_mm[label])
    last = 2 * line.position(spine.centroids_mm[DISC_OFFSET + label]) - first
    places = np.arange(first, last, BIN_MM)
    depths = _depths(canal, places)
    for at, colour, letter in ((first, CYAN, "C"), (places[np.argmin(depths)], RED, "N")):
        _across(view, line, frame, at, float(_depths(canal, [at])[0]), colour, letter)
    view.save("neck")


def compression(phantom, spine, solids, line, cord) -> None:
    """The cord's AP diameter where it is narrowest at the level of C5, and behind the two next bodies on either
    side."""
    label = LEVEL_LABELS["C5"]
    frame = solids[label].block.frame
    view = View(phantom, frame.origin_mm, -frame.anterior, frame.superior, (64, 96))
    for body in range(label - 1, label + 3):
        at = line.position(spine.centroids_mm[body])
        _across(view, line, frame, at, float(_depths(cord, [at])[0]), CYAN, LEVEL_NAMES[body])
    first = line.position(spine.centroids_mm[label])
    places = np.arange(
        first, 2 * line.position(spine.centroids_mm[DISC_OFFSET + label]) - first, BIN_MM
    )
    narrowest = places[np.argmin(_depths(cord, places))]
    _across(view, line, frame, narrowest, float(_depths(cord, places).min()), RED, "N")
    view.save("compression")


def _depths(profile, places) -> np.ndarray:
    index = np.round((np.asarray(places) - profile.start_mm) / BIN_MM).astype(int)
    return profile.depth_mm[index]


def _across(view, line, frame, at: float, depth: float, colour: str, letters: str) -> None:
    """Draw an AP diameter at a place of the centreline."""
    along, middle = line.tangent(at), line.point(at)
    forward = frame.anterior - (frame.anterior @ along) * along
    forward /= np.linalg.norm(forward)
    view.line([middle - depth / 2 * forward, middle + depth / 2 * forward], colour, 4)
    way = -1 if letters == "N" else 1
    view.letter(middle - way * depth / 2 * forward, letters, colour, (24 * way, 0))


def coronal() -> None:
    """A double curve from the front: the end plates of both curves, and the apex of the larger one."""
    phantom, maps, _, solids = fitted(CURVED_SEED, "whole", 3.3)
    frame = spine_frame(solids)
    found = cobb_columns(solids, frame)
    bodies = [s.region.centroid_mm for k, s in solids.items() if k < DISC_OFFSET and s.region]
    view = Front(phantom.image, frame, np.array(bodies), (160, 560), 1.0)
    for second, colour, way in (("", YELLOW, -1), ("_second", CYAN, 1)):
        for end, side in (("upper", 1), ("lower", -1)):
            level = found[f"cobb{second}_{end}_level"]
            plate = solids[LEVEL_LABELS[level]].endplate(side)
            middle = (plate.back_mm + plate.front_mm) / 2
            across = frame.right - (frame.right @ plate.normal) * plate.normal
            view.line([middle - 45 * across, middle + 45 * across], colour, 4)
            view.letter(middle + way * 45 * across, level, colour, (-34 * way, 0))
    apex = found["cobb_apex_level"].split("-")
    key = LEVEL_LABELS[apex[0]] + (DISC_OFFSET if len(apex) > 1 else 0)
    apex_mm = solids[key].region.centroid_mm
    view.dot(apex_mm, RED, 9)
    view.letter(apex_mm, "apex", RED, (60, 0))
    view.save("coronal")
