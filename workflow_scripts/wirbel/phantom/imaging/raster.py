"""Draw an anatomy on a grid: subregions, vertebra numbers and tissues, sampled at voxel centres."""

from __future__ import annotations

import numpy as np

from wirbel.core import labels as L
from wirbel.core.geometry import Grid
from wirbel.phantom.imaging import tissues as T
from wirbel.phantom.imaging.canvas import Canvas
from wirbel.phantom.person.anatomy import Anatomy, Vertebra
from wirbel.phantom.person.canal import draw_canal
from wirbel.phantom.person.discs import disc_frame
from wirbel.phantom.person.shapes import Blob

CORTEX_MM = 0.8
"""Thickness of the dark rim of a body. The cortical shell itself is thinner, but chemical shift and
partial volume widen it in T2-weighted images.
"""
CORNER_MM = 1.3
"""Radius of a body's edges."""
LIGAMENT_MM = 1.6
"""Thickness on bodies and discs of the longitudinal ligaments, and of tissue that looks like them."""
LIGAMENT_BESIDE_BODY = 0.15
"""The ligament of a body extends over this fraction of the disc's height; beyond it the disc has its
own, which follows its bulge.
"""


def rasterise(anatomy: Anatomy, grid: Grid, background: np.ndarray | None = None) -> Canvas:
    """Draw `anatomy` on a grid.

    Parameters
    ----------
    anatomy : Anatomy
        What to draw.
    grid : Grid
        Its affine maps voxels to the anatomical frame in mm.
    background : ndarray of uint8, shape `grid.shape`, optional
        Tissues where no part of the spine is drawn.
    """
    canvas = Canvas.blank(grid)
    if background is not None:
        canvas.tissue[...] = background
    for vertebra in anatomy.vertebrae:
        _draw_surroundings(canvas, vertebra)
    draw_canal(canvas, anatomy)
    for k in range(len(anatomy.discs)):
        _draw_disc(canvas, anatomy, k)
    _draw_sacrum(canvas, anatomy)
    for k, vertebra in enumerate(anatomy.vertebrae):
        _draw_posterior_elements(canvas, vertebra, anatomy.posterior_cortex_mm)
        _draw_body(canvas, vertebra, anatomy.vertebrae[max(k - 1, 0)].label, T.MARROW + k)
    return canvas


def _draw_surroundings(canvas: Canvas, vertebra: Vertebra) -> None:
    """Draw the ligaments around the body, and the fat and nerve roots of the foramina below it."""
    body, size = vertebra.body, vertebra.size
    half = np.array(
        [body.width_mm / 2 + 3, body.depth_mm / 2 + 3, body.height_mm / 2 + size.disc_mm]
    )
    box = canvas.box(vertebra.centre_mm, half, vertebra.rotation)
    if box is not None:
        r, a, s = canvas.local(box, vertebra.rotation, vertebra.centre_mm)
        reach = body.height_mm / 2 + size.disc_mm * LIGAMENT_BESIDE_BODY
        side, _ = body.signed_mm((r, a, s), LIGAMENT_MM, reach)
        near = (side < LIGAMENT_MM) & (np.abs(s) < reach)
        canvas.tissue[box][near] = T.LIGAMENT
    back = -body.depth_mm / 2 - 0.3 * size.canal_depth_mm
    for sign in (-1, 1):
        at = (sign * (size.canal_width_mm / 2 + 4), back, -body.height_mm / 2 - size.disc_mm * 0.2)
        root = (sign * (size.canal_width_mm / 2 + 4), back, -body.height_mm * 0.3)
        fat = Blob(np.array(at), np.eye(3), np.array([7.0, 4.5, 0.42 * body.height_mm]), 2.0)
        nerve = Blob(np.array(root), np.eye(3), np.array([8.0, 2.2, 2.4]), 2.0)
        _paint(canvas, vertebra.rotation, vertebra.centre_mm, fat, T.EPIDURAL_FAT)
        _paint(canvas, vertebra.rotation, vertebra.centre_mm, nerve, T.NERVE)
    behind = (0, back - 0.75 * size.canal_depth_mm, -body.height_mm / 2)
    pad = Blob(np.array(behind), np.eye(3), np.array([4.5, 4.0, 0.4 * body.height_mm]), 2.0)
    _paint(canvas, vertebra.rotation, vertebra.centre_mm, pad, T.EPIDURAL_FAT)


def _paint(canvas: Canvas, rotation, origin, blob: Blob, tissue: int) -> None:
    box = canvas.box(origin + rotation @ blob.centre, blob.half_mm, rotation @ blob.axes)
    if box is not None:
        inside = blob.signed_mm(canvas.local(box, rotation, origin)) < 0
        canvas.tissue[box][inside] = tissue


def _draw_posterior_elements(canvas: Canvas, vertebra: Vertebra, cortex_mm: float) -> None:
    for label, blob in vertebra.elements:
        origin = vertebra.centre_mm + vertebra.rotation @ blob.centre
        box = canvas.box(origin, blob.half_mm, vertebra.rotation @ blob.axes)
        if box is None:
            continue
        value = blob.signed_mm(canvas.local(box, vertebra.rotation, vertebra.centre_mm))
        wins = (value < 0) & (value < canvas.nearest[box]) & (canvas.subregion[box] != L.SACRUM)
        same = wins | ((value < 0) & (canvas.vertebra[box] == vertebra.label))
        # Deep inside any element of this vertebra is marrow.
        deep = same & (value < -cortex_mm)
        shell = (
            wins
            & ~deep
            & ~(
                (canvas.vertebra[box] == vertebra.label)
                & (canvas.tissue[box] == T.POSTERIOR_MARROW)
            )
        )
        canvas.nearest[box][wins] = value[wins]
        canvas.subregion[box][wins] = label
        canvas.vertebra[box][wins] = vertebra.label
        canvas.tissue[box][shell] = T.CORTEX
        canvas.tissue[box][deep] = T.POSTERIOR_MARROW


def _draw_body(canvas: Canvas, vertebra: Vertebra, above: int, marrow: int) -> None:
    body = vertebra.body
    half = np.array([body.width_mm / 2, body.depth_mm / 2, body.height_mm / 2 + 4]) + 1
    box = canvas.box(vertebra.centre_mm, half, vertebra.rotation)
    if box is not None:
        coordinates = canvas.local(box, vertebra.rotation, vertebra.centre_mm)
        side, ends = body.signed_mm(coordinates)
        inside = (side < 0) & (ends < 0) & (_rounding(side) + _rounding(ends) < 1)
        plate = inside & (ends > -vertebra.endplate_mm)
        if vertebra.dens is not None:
            plate &= coordinates[2] < 0  # C2 has no upper endplate
        rim = inside & (np.maximum(side, ends) > -CORTEX_MM)
        canvas.subregion[box][inside] = L.BODY_BORDER
        canvas.vertebra[box][inside] = vertebra.label
        canvas.tissue[box][inside] = marrow
        canvas.tissue[box][rim] = T.CORTEX
        vein = inside & (np.abs(coordinates[2]) < 1.0) & (coordinates[1] < -0.12 * body.depth_mm)
        vein &= np.abs(coordinates[0]) < 3.0
        canvas.tissue[box][vein & (side < -CORTEX_MM)] = T.VEIN
        canvas.subregion[box][plate] = L.ENDPLATE
        upper = plate & (coordinates[2] > 0)  # both endplates of a disc get the vertebra above it
        canvas.vertebra[box][plate] = L.ENDPLATE_OFFSET + vertebra.label
        canvas.vertebra[box][upper] = L.ENDPLATE_OFFSET + above
    _draw_dens(canvas, vertebra, marrow)


def _rounding(value: np.ndarray) -> np.ndarray:
    """Return the squared fraction of the corner radius; the sum over two walls is 1 on a round edge."""
    return np.clip(value / CORNER_MM + 1, 0, None) ** 2


def _draw_dens(canvas: Canvas, vertebra: Vertebra, marrow: int) -> None:
    blob = vertebra.dens
    if blob is None:
        return
    origin = vertebra.centre_mm + vertebra.rotation @ blob.centre
    box = canvas.box(origin, blob.half_mm, vertebra.rotation @ blob.axes)
    if box is None:
        return
    value = blob.signed_mm(canvas.local(box, vertebra.rotation, vertebra.centre_mm))
    inside = value < 0
    was_marrow = canvas.tissue[box] == marrow
    canvas.subregion[box][inside] = L.BODY_BORDER
    canvas.vertebra[box][inside] = vertebra.label
    canvas.tissue[box][inside & ~was_marrow] = T.CORTEX
    canvas.tissue[box][value < -CORTEX_MM] = marrow


def _draw_disc(canvas: Canvas, anatomy: Anatomy, k: int) -> None:
    """Fill the gap below vertebra k up to both endplates, inside the bodies' common outline."""
    gap = disc_frame(anatomy, k)
    half = np.array([gap.width_mm / 2 + 5, gap.depth_mm / 2 + 5, gap.reach_mm])
    box = canvas.box(gap.centre_mm, half, gap.rotation)
    if box is None:
        return
    disc = anatomy.discs[k]
    limit = 1 + 2 * disc.bulge_mm / gap.depth_mm
    widest = limit + 2 * LIGAMENT_MM / min(gap.depth_mm, gap.width_mm)
    radius, between = gap.signed_mm(canvas, box, widest)
    inside = (radius < limit) & (between < 0)
    outside_mm = (radius - limit) * min(gap.depth_mm, gap.width_mm) / 2
    # The ligaments are grown together with the disc's rim, so they follow its bulge.
    around = (outside_mm < LIGAMENT_MM) & (between < 0) & (canvas.subregion[box] == 0)
    canvas.tissue[box][around] = T.LIGAMENT
    canvas.subregion[box][inside] = L.DISC
    canvas.vertebra[box][inside] = L.DISC_OFFSET + anatomy.vertebrae[k].label
    canvas.tissue[box][inside] = T.ANNULUS
    from_middle = np.clip(1 + between / (0.5 * gap.thickness_mm), 0, 1)
    nucleus = inside & ((radius / 0.74) ** 2 + (from_middle / 0.92) ** 2 < 1)
    canvas.tissue[box][nucleus] = T.NUCLEUS + k
    if 0.25 < disc.grade < 0.5:  # the dark cleft of middle age
        canvas.tissue[box][nucleus & (from_middle < 0.15)] = T.ANNULUS


def _draw_sacrum(canvas: Canvas, anatomy: Anatomy) -> None:
    for number, segment in enumerate(anatomy.sacrum):
        for position, blob in enumerate(segment.blobs):
            origin = segment.centre_mm + segment.rotation @ blob.centre
            box = canvas.box(origin, blob.half_mm, segment.rotation @ blob.axes)
            if box is None:
                continue
            coordinates = canvas.local(box, segment.rotation, segment.centre_mm)
            value = blob.signed_mm(coordinates)
            inside = (value < 0) & (canvas.subregion[box] != L.DISC)
            marrow = canvas.tissue[box] == T.SACRAL_MARROW
            canvas.subregion[box][inside] = L.SACRUM
            canvas.vertebra[box][inside] = L.SACRUM
            canvas.tissue[box][inside & ~marrow] = T.CORTEX
            canvas.tissue[box][inside & (value < -anatomy.posterior_cortex_mm)] = T.SACRAL_MARROW
            if position == 0 and number > 0:
                cleft = inside & (coordinates[2] > segment.height_mm / 2 - 1.4)
                canvas.tissue[box][cleft & (value < -0.5)] = T.REMNANT_DISC
