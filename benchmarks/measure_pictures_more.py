"""Pictures of nucleus and bulge, rims and slopes, the neck's canal and cord, and coronal curves."""

from __future__ import annotations

import numpy as np
from measure_views import CYAN, RED, WHITE, YELLOW, Projection, Scan, View, fitted, place

from wirbel.core.labels import (
    ARCUS,
    BODY,
    BODY_BORDER,
    DISC_OFFSET,
    LEVEL_LABELS,
    LEVEL_NAMES,
    SACRUM,
)
from wirbel.core.measures.alignment import spine_frame
from wirbel.core.measures.centreline import find_centreline
from wirbel.core.measures.coronal.curves import cobb_columns
from wirbel.core.measures.narrowest import BIN_MM, canal_profile, cord_profile
from wirbel.core.measures.rims import RIM, corner_height_mm
from wirbel.core.measures.shape.bulge import bulge_columns
from wirbel.core.measures.shape.foramen import pedicle_edge_mm
from wirbel.core.measures.signal.discs import MARGIN_MM, zones_of
from wirbel.core.measures.signal.marrow import VBQ_LEVELS, fluid_behind
from wirbel.core.measures.signals import BODY_MARGIN_MM, find_fluid, picture_of
from wirbel.core.measures.slips import facing_plates

NECK_SEED, CURVED_SEED = 12, 34
"""The second one has a curve of 15 degrees to the right in the thorax, and one of 15 to the left above."""


def lumbar(phantom, maps, solids) -> None:
    """Draw all pictures of a lumbar spine."""
    nucleus(phantom, maps, solids)
    marrow(phantom, maps, solids)
    cross_section(phantom, solids)
    foramina(phantom, maps, solids)
    rims(phantom, solids)
    slopes(phantom, solids)
    bulge(phantom, maps, solids)


def elsewhere() -> None:
    """Draw the pictures of other persons."""
    phantom, maps, spine, solids = fitted(NECK_SEED, "cervical")
    line, frame = find_centreline(spine), spine_frame(solids)
    canal, cord = (profile(maps, line, frame.right) for profile in (canal_profile, cord_profile))
    neck(phantom, spine, solids, line, canal)
    compression(phantom, spine, solids, line, cord)
    coronal()


def nucleus(phantom, maps, solids) -> None:
    """The voxels of nucleus and annulus in the slice nearest to the middle of the disc L3-L4."""
    label = LEVEL_LABELS["L3"]
    solid, region = solids[DISC_OFFSET + label], maps.disc(label)
    frame = solid.block.frame
    view = Scan(phantom.image, frame.origin_mm, -frame.anterior, frame.superior, (56, 34))
    index = np.argwhere(picture_of(phantom.image).inside(region, MARGIN_MM)[0])
    local = frame.to_local(region.grid.to_world(index))
    back, front = solid.outline.ends_at(0)
    zones = zones_of(local[:, 0], (local[:, 1] - back) / (front - back), solid.block.slab_mm)
    near = np.abs(local[:, 0]) < 0.8
    for zone, colour in ((zones.nucleus, YELLOW), (zones.front | zones.back, CYAN)):
        for point in local[zone & near]:
            view.dot(place(frame, 0, *point[1:]), colour, 2)
    view.save("nucleus")


def marrow(phantom, maps, solids) -> None:
    """The marrow of L1 to L4, and the fluid at the height of L3, in the slice nearest to the middle of L3."""
    picture, block = picture_of(phantom.image), solids[LEVEL_LABELS["L3"]].block
    frame = block.frame
    middle = place(frame, 0, -12, 0)
    view = Scan(phantom.image, middle, -frame.anterior, frame.superior, (84, 150), 0.5)
    fluid = find_fluid(picture, maps)
    inside = [maps.body(LEVEL_LABELS[level]) for level in VBQ_LEVELS]
    marked = [(np.asarray(fluid.tree.data)[fluid_behind(fluid, block)], CYAN)]
    for region in inside:
        index = np.argwhere(picture.inside(region, BODY_MARGIN_MM)[0])
        marked.append((region.grid.to_world(index), YELLOW))
    for points, colour in marked:
        local = frame.to_local(points)
        for point in local[np.abs(local[:, 0]) < 0.8]:
            view.dot(place(frame, 0, *point[1:]), colour, 1)
    view.save("marrow")


def cross_section(phantom, solids) -> None:
    """The outline of L2 half-way up."""
    solid = solids[LEVEL_LABELS["L2"]]
    frame = solid.block.frame
    view = View(phantom, frame.origin_mm, -frame.right, frame.anterior, (66, 54))
    turn = np.linspace(0, 2 * np.pi, 361)
    ray = np.column_stack([np.cos(turn), np.sin(turn)])
    middle, reach = np.array(solid.outline.middle_mm), np.full(len(turn), 20.0)
    for _ in range(40):  # the outline is not quite a superellipse: its back is hollow
        points = np.column_stack([middle + reach[:, None] * ray, np.zeros(len(turn))])
        reach /= np.sqrt(solid.outline.radius(points))
    view.line([place(frame, *point) for point in middle + reach[:, None] * ray], YELLOW)
    view.save("cross_section")


def foramina(phantom, maps, solids) -> None:
    """The pedicles of L3 and L4 on the right, and the foramen between them."""
    ends = []
    for level, way in (("L3", -1), ("L4", 1)):
        block = solids[LEVEL_LABELS[level]].block
        arch = maps.part(LEVEL_LABELS[level], (ARCUS,))
        ends.append(pedicle_edge_mm(arch, block.frame, block.back_mm, 1, way))
    frame = solids[DISC_OFFSET + LEVEL_LABELS["L3"]].block.frame
    view = View(phantom, (ends[0] + ends[1]) / 2, -frame.anterior, frame.superior, (64, 60))
    foot = ends[1] + ((ends[0] - ends[1]) @ frame.superior) * frame.superior
    view.line([ends[1], foot], RED, 5)
    for edge in ends:
        view.line([edge - 5 * frame.anterior, edge + 5 * frame.anterior], CYAN, 3)
    view.save("foramen")


def rims(phantom, solids) -> None:
    """Corner heights, and how far the endplates dip below the line between their rims."""
    block = solids[LEVEL_LABELS["L3"]].block
    frame = block.frame
    view = View(phantom, frame.origin_mm, -frame.anterior, frame.superior, (64, 48))
    for side in (1, -1):
        back, middle, front = (block.surface_at(f, side) for f in (RIM, 0.5, 1 - RIM))
        ends = [block.back_mm + f * block.depth_mm for f in (RIM, 1 - RIM)]
        view.line(
            [place(frame, 0, a, s) for a, s in zip(ends, (back, front), strict=True)], WHITE, 2
        )
        at = sum(ends) / 2
        view.line([place(frame, 0, at, s) for s in ((back + front) / 2, middle)], RED, 5)
        wall = block.front_mm if side > 0 else block.back_mm
        height = corner_height_mm(block, side)
        foot = np.interp(wall, ends, [block.surface_at(f, -1) for f in (RIM, 1 - RIM)])
        view.line([place(frame, 0, wall, s) for s in (foot, foot + height)], YELLOW)
    view.save("rims")


def slopes(phantom, solids) -> None:
    """The segment L4-L5 between two endplates, and the sacrum's slope against the scanner's axial plane."""
    upper, lower = solids[LEVEL_LABELS["L4"]], solids[LEVEL_LABELS["L5"]]
    disc = solids[DISC_OFFSET + LEVEL_LABELS["L5"]]
    frame = lower.block.frame
    view = View(phantom, frame.origin_mm, -frame.anterior, frame.superior, (110, 100))
    for plate in (upper.endplate(1), lower.endplate(-1)):
        view.line([plate.back_mm, plate.front_mm + 22 * plate.forward], YELLOW, 3)
    plate = disc.endplate(-1)
    view.line([plate.back_mm, plate.front_mm + 12 * plate.forward], CYAN, 3)
    level = plate.forward * (1, 1, 0)
    view.line([plate.back_mm, plate.back_mm + 44 * level / np.linalg.norm(level)], WHITE, 2)
    view.save("slopes")


def bulge(phantom, maps, solids) -> None:
    """The disc that bulges most: the line between the back corners, and how far the disc reaches behind it."""
    found = {}
    for key in (k for k in solids if k >= DISC_OFFSET):
        label = key - DISC_OFFSET
        below = SACRUM if LEVEL_NAMES[label] == "L5" else label + 1
        size = bulge_columns(maps, solids, label, below)["posterior_bulge_mm"]
        found[label, below] = size if size is not None else -1
    label, below = max(found, key=found.get)
    above, under, _ = facing_plates(maps, solids, label, below)
    frame = solids[DISC_OFFSET + label].block.frame
    view = View(phantom, above.back_mm, -frame.anterior, frame.superior, (46, 34))
    view.line([above.back_mm, under.back_mm], WHITE, 2)
    along = (under.back_mm - above.back_mm) / np.linalg.norm(under.back_mm - above.back_mm)
    back = -frame.anterior + (frame.anterior @ along) * along
    middle = (above.back_mm + under.back_mm) / 2
    view.line([middle, middle + found[label, below] * back / np.linalg.norm(back)], RED, 5)
    for corner in (above.back_mm, under.back_mm):
        view.dot(corner, CYAN)
    view.save("bulge")


def neck(phantom, spine, solids, line, canal) -> None:
    """Body depth and canal behind C5 (their ratio is Torg's and Pavlov's), and the canal's narrowest place at
    that level."""
    label = LEVEL_LABELS["C5"]
    solid = solids[label]
    frame = solid.block.frame
    view = View(phantom, frame.origin_mm, -frame.anterior, frame.superior, (64, 70))
    view.line([place(frame, 0, a, 0) for a in solid.outline.ends_at(0)], YELLOW)
    first = line.position(spine.centroids_mm[label])
    last = 2 * line.position(spine.centroids_mm[DISC_OFFSET + label]) - first
    places = np.arange(first, last, BIN_MM)
    depths = _depths(canal, places)
    for at, colour in ((first, CYAN), (places[np.argmin(depths)], RED)):
        _across(view, line, frame, at, float(_depths(canal, [at])[0]), colour)
    view.save("neck")


def compression(phantom, spine, solids, line, cord) -> None:
    """The cord's AP diameter where it is narrowest at the level of C5, and behind the two next bodies on either
    side."""
    label = LEVEL_LABELS["C5"]
    frame = solids[label].block.frame
    view = View(phantom, frame.origin_mm, -frame.anterior, frame.superior, (64, 96))
    for body in range(label - 1, label + 3):
        at = line.position(spine.centroids_mm[body])
        _across(view, line, frame, at, float(_depths(cord, [at])[0]), CYAN)
    first = line.position(spine.centroids_mm[label])
    places = np.arange(
        first, 2 * line.position(spine.centroids_mm[DISC_OFFSET + label]) - first, BIN_MM
    )
    narrowest = places[np.argmin(_depths(cord, places))]
    _across(view, line, frame, narrowest, float(_depths(cord, places).min()), RED)
    view.save("compression")


def _depths(profile, places) -> np.ndarray:
    index = np.round((np.asarray(places) - profile.start_mm) / BIN_MM).astype(int)
    return profile.depth_mm[index]


def _across(view, line, frame, at: float, depth: float, colour: str) -> None:
    """Draw an AP diameter at a place of the centreline."""
    along, middle = line.tangent(at), line.point(at)
    forward = frame.anterior - (frame.anterior @ along) * along
    forward /= np.linalg.norm(forward)
    view.line([middle - depth / 2 * forward, middle + depth / 2 * forward], colour, 4)


def coronal() -> None:
    """A double curve from the front: the end plates of both curves, and the apex of the larger one."""
    phantom, maps, _, solids = fitted(CURVED_SEED, "whole", 3.3)
    frame = spine_frame(solids)
    found = cobb_columns(solids, frame)
    view = Projection(phantom.subregion, frame, (BODY, BODY_BORDER), (120, 560))
    for second, colour in (("", YELLOW), ("_second", CYAN)):
        for end, side in (("upper", 1), ("lower", -1)):
            plate = solids[LEVEL_LABELS[found[f"cobb{second}_{end}_level"]]].endplate(side)
            middle = (plate.back_mm + plate.front_mm) / 2
            across = frame.right - (frame.right @ plate.normal) * plate.normal
            view.line([middle - 45 * across, middle + 45 * across], colour, 3)
    apex = found["cobb_apex_level"].split("-")
    key = LEVEL_LABELS[apex[0]] + (DISC_OFFSET if len(apex) > 1 else 0)
    view.dot(solids[key].region.centroid_mm, RED, 7)
    view.save("coronal")
