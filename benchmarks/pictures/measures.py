"""Draw how the measures are defined, on a phantom, for docs/measures.md.

python benchmarks/pictures/measures.py      # writes docs/pictures/*.svg
"""

from __future__ import annotations

import lumbar
import neck
import numpy as np
from views import CYAN, RED, WHITE, YELLOW, View, fitted, place

from wirbel.core.labels import CANAL, CORD, DISC_OFFSET, LEVEL_LABELS, SACRUM
from wirbel.core.measures.cord.centreline import find_centreline
from wirbel.core.measures.cord.sections import REACH_MM, SLAB_MM
from wirbel.core.measures.curvature.curves import CANAL_FORM, CORD_FORM, fit_closed_curve
from wirbel.core.measures.levels import section_frame
from wirbel.core.measures.shape.corners import corners_beside
from wirbel.core.measures.vertebrae import SIX_POINT_FRACTIONS

SEED = 11
SLIPPED_SEED, SLIPPED_LEVEL = 57, "L4"
"""A person whose L4 stands 5.5 mm in front of L5."""


def heights(phantom, solids) -> None:
    """Six points, depth at three heights and both endplates' lines."""
    solid = solids[LEVEL_LABELS["L2"]]
    block, frame = solid.block, solid.block.frame
    view = View(phantom, frame.origin_mm, -frame.anterior, frame.superior, (64, 48))
    for height, letters in ((1, "Du"), (0, "Dm"), (-1, "Dl")):
        at = np.median((block.upper if height > 0 else block.lower)[:, 2]) if height else 0.0
        ends = [place(frame, 0, a, at * 0.86) for a in solid.outline.ends_at(height)]
        view.line(ends, CYAN, 2)
        view.letter(max(ends, key=lambda end: end @ frame.anterior), letters, CYAN, (-24, 0))
    for side in (1, -1):
        plate = solid.endplate(side)
        view.line([plate.back_mm, plate.front_mm], WHITE, 2)
    for part, fraction in SIX_POINT_FRACTIONS.items():
        anterior = block.back_mm + fraction * block.depth_mm
        ends = [place(frame, 0, anterior, block.surface_at(fraction, side)) for side in (1, -1)]
        view.line(ends, YELLOW)
        for end in ends:
            view.dot(end, YELLOW)
        view.letter(ends[0], f"H{part[0]}", YELLOW, (0, -22))
    view.save("vertebra")


def slips(phantom, solids) -> None:
    """Disc heights, and the corners and the line that a slip is measured along."""
    label = LEVEL_LABELS[SLIPPED_LEVEL]
    disc, above, below = solids[DISC_OFFSET + label], solids[label], solids[label + 1]
    frame, block = disc.block.frame, disc.block
    view = View(phantom, frame.origin_mm, -frame.anterior, frame.superior, (64, 44))
    for fraction in np.linspace(0.25, 0.75, 5):
        anterior = block.back_mm + fraction * block.depth_mm
        view.line(
            [place(frame, 0, anterior, block.surface_at(fraction, s)) for s in (1, -1)], YELLOW, 2
        )
    view.letter(disc.block.frame.origin_mm, "H", YELLOW, (-14, 0))
    upper, lower = above.endplate(-1), below.endplate(1)
    view.line([lower.back_mm, lower.front_mm], WHITE, 2)
    foot = lower.back_mm + ((upper.back_mm - lower.back_mm) @ lower.forward) * lower.forward
    view.line([upper.back_mm, foot], CYAN, 2)
    view.line([lower.back_mm, foot], RED, 5)
    view.letter((lower.back_mm + foot) / 2, "S", RED, (0, 24))
    for corner in (upper.back_mm, lower.back_mm):
        view.dot(corner, CYAN)
    view.save("disc")


def sections(phantom, maps, spine, line) -> None:
    """Canal and cord in the plane at right angles to the centreline, with the fitted curves."""
    frame = section_frame(line, spine.centroids_mm[LEVEL_LABELS["T12"]])
    view = View(phantom, frame.origin_mm, -frame.right, frame.anterior, (44, 40))
    for labels, form, colour, letters in (
        ((CANAL, CORD), CANAL_FORM, YELLOW, ("AP", "RL")),
        ((CORD,), CORD_FORM, CYAN, ("ap", "rl")),
    ):
        region = maps.near(frame.origin_mm, REACH_MM, labels)
        edge = frame.to_local(np.vstack(region.ends(frame.anterior)))
        edge = edge[np.abs(edge[:, 2]) < SLAB_MM]
        step = float(np.abs(frame.right @ region.grid.affine[:3, :3]).max())
        curve = fit_closed_curve(edge[:, :2], form, (*np.percentile(edge[:, 0], (0, 100)), step))
        turn = np.linspace(0, 2 * np.pi, 181)
        ray = np.column_stack([np.cos(turn), np.sin(turn)])
        middle = np.array([curve.right_mm, curve.anterior_mm])
        rim = middle + ray / curve.radius(middle + ray)[:, None]
        view.line([place(frame, *point) for point in rim], colour)
        ends = [place(frame, middle[0], middle[1] + d) for d in (curve.front_mm, -curve.back_mm)]
        view.line(ends, colour, 2)
        view.letter(ends[1], letters[0], colour, (0, 18))
        sides = [
            place(frame, middle[0] + d, middle[1])
            for d in (curve.width_mm / 2, -curve.width_mm / 2)
        ]
        view.line(sides, colour, 2)
        view.letter(sides[0], letters[1], colour, (-22, 0))
    view.save("section")


def curves(phantom, solids, line) -> None:
    """The centreline, and the endplates that lordosis is measured between."""
    blocks = [s.block for k, s in solids.items() if k < DISC_OFFSET and s.block is not None]
    right = np.mean([b.frame.right for b in blocks], axis=0)
    right /= np.linalg.norm(right)
    up = blocks[0].frame.origin_mm - blocks[-1].frame.origin_mm
    up -= (up @ right) * right
    up /= np.linalg.norm(up)
    middle = np.mean([b.frame.origin_mm for b in blocks], axis=0)
    view = View(phantom, middle - 8 * up, -np.cross(up, right), up, (120, 200))
    view.line(line.points_mm, CYAN)
    for level, side in (("L1", 1), ("L5", -1)):
        plate = solids[LEVEL_LABELS[level]].endplate(side)
        end = plate.front_mm + 25 * plate.forward
        view.line([plate.back_mm, end], YELLOW, 4)
        view.letter(end, level, YELLOW, (-24, 0))
    view.save("curves")


def sacral_corners(phantom, maps, spine, solids) -> None:
    """The sacral endplate with its corners, where lines along the walls of S1 meet the disc's face."""
    last = LEVEL_LABELS["L5"]
    disc, above = solids[DISC_OFFSET + last], solids[last].endplate(-1)
    frame, bone = disc.block.frame, maps.structure(SACRUM)
    plate, _ = corners_beside(
        disc.endplate(-1), bone, spine.canal_points_mm, frame.right, disc.block.slab_mm, -1
    )
    view = View(phantom, plate.back_mm, -frame.anterior, frame.superior, (70, 50))
    view.line([plate.back_mm, plate.front_mm], WHITE, 2)
    for corner, letter, shift in ((plate.back_mm, "P", 18), (plate.front_mm, "A", -18)):
        view.dot(corner, CYAN)
        view.letter(corner, letter, CYAN, (shift, 14))
    foot = plate.back_mm + ((above.back_mm - plate.back_mm) @ plate.forward) * plate.forward
    view.line([above.back_mm, foot], CYAN, 2)
    view.line([plate.back_mm, foot], RED, 5)
    view.letter(foot, "S", RED, (16, -14))
    view.dot(above.back_mm, CYAN)
    view.save("sacrum")


def main() -> None:
    """Draw all pictures."""
    phantom, maps, spine, solids = fitted(SEED)
    line = find_centreline(spine)
    heights(phantom, solids)
    sections(phantom, maps, spine, line)
    curves(phantom, solids, line)
    lumbar.draw(phantom, maps, solids)
    phantom, maps, spine, solids = fitted(SLIPPED_SEED)
    slips(phantom, solids)
    sacral_corners(phantom, maps, spine, solids)
    neck.draw()


if __name__ == "__main__":
    main()
