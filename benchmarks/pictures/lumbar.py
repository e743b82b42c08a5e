"""Pictures of a lumbar spine: nucleus, marrow, bulge, foramina, cross-section, rims and slopes."""

from __future__ import annotations

import numpy as np
from views import CYAN, RED, WHITE, YELLOW, Scan, View, place

from wirbel.core.labels import (
    ARCUS,
    DISC_OFFSET,
    LEVEL_LABELS,
    LEVEL_NAMES,
    SACRUM,
)
from wirbel.core.measures.curvature.slips import facing_plates
from wirbel.core.measures.shape.bulge import bulge_columns
from wirbel.core.measures.shape.foramen import pedicle_edge_mm
from wirbel.core.measures.shape.rims import RIM, corner_height_mm
from wirbel.core.measures.signal.discs import MARGIN_MM, zones_of
from wirbel.core.measures.signal.marrow import VBQ_LEVELS, fluid_behind
from wirbel.core.measures.signal.signals import BODY_MARGIN_MM, find_fluid, picture_of


def draw(phantom, maps, solids) -> None:
    """Draw all pictures of a lumbar spine."""
    nucleus(phantom, maps, solids)
    marrow(phantom, maps, solids)
    cross_section(phantom, solids)
    foramina(phantom, maps, solids)
    rims(phantom, solids)
    slopes(phantom, solids)
    bulge(phantom, maps, solids)


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
        view.dots([place(frame, 0, *point[1:]) for point in local[zone & near]], colour, 2)
    for part, letter, colour in ((zones.nucleus, "N", YELLOW), (zones.back, "A", CYAN)):
        view.letter(place(frame, 0, *local[part & near][:, 1:].mean(0)), letter, colour)
    view.save("nucleus")


def marrow(phantom, maps, solids) -> None:
    """The marrow of L1 to L4, and the fluid at the height of L3, in the slice nearest to the middle of L3."""
    picture, block = picture_of(phantom.image), solids[LEVEL_LABELS["L3"]].block
    frame = block.frame
    middle = place(frame, 0, -12, 0)
    view = Scan(phantom.image, middle, -frame.anterior, frame.superior, (84, 150), 0.5)
    fluid = find_fluid(picture, maps)
    inside = [maps.body(LEVEL_LABELS[level]) for level in VBQ_LEVELS]
    names = []
    marked = [(np.asarray(fluid.tree.data)[fluid_behind(fluid, block)], CYAN)]
    for level, region in zip(VBQ_LEVELS, inside, strict=True):
        at = frame.to_local(region.centroid_mm)
        names.append((place(frame, 0, *at[1:]), level, YELLOW))
        index = np.argwhere(picture.inside(region, BODY_MARGIN_MM)[0])
        marked.append((region.grid.to_world(index), YELLOW))
    for points, colour in marked:
        local = frame.to_local(points)
        near = local[np.abs(local[:, 0]) < 0.8]
        view.dots([place(frame, 0, *point[1:]) for point in near], colour, 1)
    names.append((np.asarray(marked[0][0]).mean(0), "F", CYAN))
    for name in names:
        view.letter(*name)
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
    view.letter(place(frame, *middle), "A", YELLOW)
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
    view.letter((ends[1] + foot) / 2, "F", RED, (18, 0))
    for edge in ends:
        view.line([edge - 5 * frame.anterior, edge + 5 * frame.anterior], CYAN, 3)
    view.save("foramen")


def rims(phantom, solids) -> None:
    """Corner heights, and how far the endplates dip below the line between their rims."""
    block = solids[LEVEL_LABELS["L3"]].block
    frame = block.frame
    view = View(phantom, frame.origin_mm, -frame.anterior, frame.superior, (64, 48))
    for side, letters in ((1, "Ca"), (-1, "Cp")):
        back, middle, front = (block.surface_at(f, side) for f in (RIM, 0.5, 1 - RIM))
        ends = [block.back_mm + f * block.depth_mm for f in (RIM, 1 - RIM)]
        view.line(
            [place(frame, 0, a, s) for a, s in zip(ends, (back, front), strict=True)], WHITE, 2
        )
        at = sum(ends) / 2
        view.line([place(frame, 0, at, s) for s in ((back + front) / 2, middle)], RED, 5)
        view.letter(place(frame, 0, at, middle), "K", RED, (18, 16 * side))
        wall = block.front_mm if side > 0 else block.back_mm
        height = corner_height_mm(block, side)
        foot = np.interp(wall, ends, [block.surface_at(f, -1) for f in (RIM, 1 - RIM)])
        view.line([place(frame, 0, wall, s) for s in (foot, foot + height)], YELLOW)
        view.letter(place(frame, 0, wall, foot + height / 2), letters, YELLOW, (-22 * side, 0))
    view.save("rims")


def slopes(phantom, solids) -> None:
    """The segment L4-L5 between two endplates, and the sacrum's slope against the scanner's axial plane."""
    upper, lower = solids[LEVEL_LABELS["L4"]], solids[LEVEL_LABELS["L5"]]
    disc = solids[DISC_OFFSET + LEVEL_LABELS["L5"]]
    frame = lower.block.frame
    middle = (upper.block.frame.origin_mm + disc.block.frame.origin_mm) / 2
    view = View(phantom, middle, -frame.anterior, frame.superior, (110, 110))
    for plate, letters in ((upper.endplate(1), "L4"), (lower.endplate(-1), "L5")):
        end = plate.front_mm + 22 * plate.forward
        view.line([plate.back_mm, end], YELLOW, 3)
        view.letter(end, letters, YELLOW, (-22, 0))
    plate = disc.endplate(-1)
    view.line([plate.back_mm, plate.front_mm + 12 * plate.forward], CYAN, 3)
    level = plate.forward * (1, 1, 0)
    end = plate.back_mm + 44 * level / np.linalg.norm(level)
    view.line([plate.back_mm, end], WHITE, 2)
    view.letter((end + plate.front_mm + 12 * plate.forward) / 2, "SS", WHITE)
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
    end = middle + found[label, below] * back / np.linalg.norm(back)
    view.line([middle, end], RED, 5)
    view.letter(end, "B", RED, (18, 0))
    for corner in (above.back_mm, under.back_mm):
        view.dot(corner, CYAN)
    view.save("bulge")
